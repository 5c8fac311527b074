// A card a person; the pressed one is whose timelines are shown.

function buildPeople(holder) {
  if (!PEOPLE.length) {
    holder.append(el("p", { class: "notice" }, "No face was found that could be followed as a person."));
    return;
  }
  const cards = PEOPLE.map(buildCard);
  holder.append(...cards);
  const draw = () => cards.forEach((card, i) => card.setAttribute("aria-pressed", String(i === state.person)));
  watch("person", draw);
  draw();
}

function buildCard(person, index) {
  const picture = person.picture
    ? el("img", { class: "portrait", src: person.picture, alt: "" })
    : el("span", { class: "portrait", "aria-hidden": "true" }, person.name.slice(0, 3));
  const facts = [person.looks, [person.seen, person.measured].filter(Boolean), ...person.said.map((text) => [text])].filter(({ length }) => length);
  return el("button", { class: "card", type: "button", "--person": personColour(index), onclick: () => change("person", index) },
    picture,
    el("span", { class: "who" },
      el("strong", {}, person.name),
      el("span", { class: "mostly" }, person.expression ? `mostly ${person.expression}` : "expression not measured"),
      ...facts.map((fact) => el("span", { class: "fact" }, fact.join(" \u00b7 ")))),
    el("span", { class: "sums" }, expressionBar(index), ...affect(person)));
}

// Mean probabilities of the whole video as one bar.
function expressionBar(index) {
  const panel = panelOf("face.expression");
  if (!panel) return null;
  const shares = panel.columns.map(({ name, label }) => ({ label, share: mean(series(index, name)) }));
  if (shares.some(({ share }) => share === null)) return null;
  const bar = el("span", { class: "mix", role: "img", "aria-label": shares.map(({ label, share }) => `${label} ${plain(share)}`).join(", ") });
  bar.title = shares.map(({ label, share }) => `${label} ${plain(share)}`).join("\n");
  for (const { label, share } of shares.filter((part) => part.share > 0.004)) {
    const part = el("i");
    part.style.flexGrow = String(share);
    part.style.background = `var(--expression-${label})`;
    bar.append(part);
  }
  return bar;
}

function affect(person) {
  return ["valence", "arousal"].filter((name) => person[name] !== null).map((name) => {
    const value = person[name];
    const bar = el("i");
    bar.style.left = `${50 + Math.min(value, 0) * 50}%`;
    bar.style.width = `${Math.abs(value) * 50}%`;
    return el("span", { class: `affect ${name}` }, el("span", {}, name), el("span", { class: "scale" }, bar), el("b", {}, signed(value)));
  });
}
