// Everything is in the file: this only shows the state that the sliders point at.
const data = JSON.parse(document.getElementById("data").textContent);
const at = data.start.slice();
const pages = [...document.querySelectorAll("main")];
const show = () => {
  const [g, p, a] = at;
  for (const page of pages) {
    const said = data[page.dataset.lang];
    page.querySelectorAll("[data-axis]").forEach((slider, n) => {
      slider.value = at[n];
      slider.nextElementSibling.value = said.axes[n][at[n]];
      slider.setAttribute("aria-valuetext", said.axes[n][at[n]]);
    });
    page.querySelector(".big").className = "big " + data.states[g][p][a];
    page.querySelector("[data-figure=premium_target]").textContent = said.pool[said.targets[g][p][a]];
    const words = page.querySelector("[data-words]");
    words.replaceChildren(...said.words[g][p][a].map((n) => {
      const line = document.createElement("p");
      line.textContent = said.pool[n];
      return line;
    }));
    page.querySelectorAll("td[data-figure]").forEach((cell, n) => (cell.textContent = said.pool[said.rows[g][p][n]]));
    page.querySelector("[data-fan]").innerHTML = data.fans[g][p];
    page.querySelector("svg").setAttribute("aria-label", said.pool[said.ends[g][p]]);
    page.querySelectorAll(".wide tbody tr").forEach((row, y) => {
      [...row.querySelectorAll("td")].forEach((cell, x) => {
        cell.textContent = said.pool[said.targets[y][p][x]];
        cell.className = y === g && x === a ? "now" : "";
      });
    });
  }
};
document.addEventListener("input", (e) => {
  if (!e.target.dataset.axis) return;
  at[Number(e.target.dataset.axis)] = Number(e.target.value);
  show();
});
document.addEventListener("click", (e) => {
  if (e.target.dataset.do !== "language") return;
  for (const page of pages) page.hidden = !page.hidden;
  const now = pages.find((page) => !page.hidden);
  document.documentElement.lang = now.lang;
  now.querySelector("button").focus();
});
show();
