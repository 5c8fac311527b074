"""Who smiles when: python examples/smiles.py interview.mp4"""

import sys

import numpy as np

import emotrace

analysis = emotrace.analyze(sys.argv[1])              # or emotrace.load("interview.emotrace")
for person in analysis.people:
    smile = analysis.timeline("face.action_units", person=person.name).smooth(0.5)
    strongest = smile.times[np.nanargmax(smile["AU12"])]
    print(f"{person.name}: {person.seconds:.1f} s, smiles most at {strongest:.1f} s")

faces = analysis.to_pandas()                          # one row per frame and face
