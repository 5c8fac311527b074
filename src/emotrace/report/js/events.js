// The strongest changes; a click goes there and shows the person.

const LEAD_IN = 1;   // s before a change, so that it can be seen happening

function buildEvents(holder) {
  if (!DATA.events.length) return;
  const most = Math.max(...DATA.events.map(({ change: size }) => Math.abs(size)));
  const list = el("ol", { class: "events" }, ...DATA.events.map((event) => el("li", {}, buildEvent(event, most))));
  holder.append(el("figure", { class: "panel" },
    el("figcaption", {}, el("h3", {}, "Strongest changes"),
      el("span", { class: "note" }, "Mean of the second after minus the second before, strongest first; a click goes to one second before.")),
    list));
}

// "AU12 lip corner puller": a number alone says nothing to most people.
function columnName(label) {
  const unit = panelOf("face.action_units")?.columns.find((column) => column.label === label);
  return unit ? `${label} ${unit.about}` : label;
}

function buildEvent(event, most) {
  const person = PEOPLE.findIndex(({ name }) => name === event.person);
  const size = el("i", { class: event.change > 0 ? "size up" : "size down" });
  size.style.width = `${(Math.abs(event.change) / most) * 100}%`;
  const [, ...tail] = event.text.split(", with ");
  const go = () => {
    change("person", person);
    seek(event.time - LEAD_IN);
  };
  return el("button", { class: "event", type: "button", "--person": personColour(person), onclick: go,
    title: event.text },
    el("span", { class: "when" }, clockText(event.time)),
    el("span", { class: "name" }, event.person),
    el("span", { class: "what" }, el("span", { "aria-hidden": "true" }, event.change > 0 ? "\u25b2" : "\u25bc"),
      ` ${columnName(event.what)} ${signed(event.change)}`, size,
      tail.length ? el("small", {}, `with ${tail.join(", with ")}`) : null));
}
