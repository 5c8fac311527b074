// Elements, text and numbers. Text is always a text node, so that no name can become markup.

const MINUS = "\u2212";
const NOTHING = "\u2013";

function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (name in element && !name.startsWith("aria-")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function icon(path) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(space, "path"));
  svg.firstChild.setAttribute("d", path);
  return svg;
}

// Sets text only where it changed: readouts are asked for every frame of the video.
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function clockText(seconds, decimals = 1) {
  const unit = 10 ** decimals;
  const whole = Math.round(Math.abs(seconds) * unit);
  const rest = (whole % (60 * unit)) / unit;
  const minutes = Math.floor(whole / (60 * unit));
  const tail = rest.toFixed(decimals).padStart(decimals ? decimals + 3 : 2, "0");
  const sign = seconds < 0 && whole ? MINUS : "";
  if (minutes < 60) return `${sign}${minutes}:${tail}`;
  return `${sign}${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${tail}`;
}

function signed(value, decimals = 2) {
  if (value === null || !Number.isFinite(value)) return NOTHING;
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return text;
  return (value > 0 ? "+" : MINUS) + text;
}

function plain(value, decimals = 2) {
  return value === null || !Number.isFinite(value) ? NOTHING : value.toFixed(decimals).replace("-", MINUS);
}
