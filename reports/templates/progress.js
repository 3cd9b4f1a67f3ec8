"use strict";
// Lists VMs page by page. Text from outside reaches the page through textContent alone.
(() => {
  const section = document.getElementById("vms");
  const data = JSON.parse(document.getElementById("vm-rows").textContent);
  if (!data.names || !data.names.length) return;
  const PAGE = 50;
  const body = section.querySelector("tbody");
  const said = section.querySelector("[role=status]");
  const search = document.getElementById("vm-search");
  const level = document.getElementById("vm-level");
  const [back, on] = section.querySelectorAll("button");
  const texts = data.names.map((name, row) => `${name}\n${data.places[data.place[row]].join("\n")}`.toLowerCase());
  let found = [];
  let page = 0;

  const controls = numbers => numbers.map(number => data.controls[number]).join(", ");

  const cells = row => {
    const [application, owner, subscription] = data.places[data.place[row]];
    const [raw, permitted, score, ours, others] = data.standings[data.standing[row]];
    return [data.names[row], application, owner, subscription, raw, permitted,
      score === null ? "" : score.toFixed(1), controls(ours), controls(others)];
  };

  const draw = () => {
    const last = Math.max(Math.ceil(found.length / PAGE) - 1, 0);
    page = Math.min(Math.max(page, 0), last);
    body.replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(row => {
      const line = document.createElement("tr");
      cells(row).forEach((text, place) => {
        const cell = document.createElement(place ? "td" : "th");
        if (!place) cell.scope = "row";
        if (place > 3 && place < 7) cell.className = "number";
        if (place > 6) cell.className = "long";
        const inside = document.createElement("bdi");
        inside.textContent = text;
        cell.append(inside);
        line.append(cell);
      });
      return line;
    }));
    said.textContent = `${found.length.toLocaleString("en")} ${found.length === 1 ? "VM" : "VMs"}, page ${page + 1} of ${last + 1}`;
    back.disabled = page === 0;
    on.disabled = page === last;
  };

  const look = () => {
    const wanted = search.value.trim().toLowerCase();
    found = [];
    for (let row = 0; row < texts.length; row++) {
      const stands = String(data.standings[data.standing[row]][0]);
      if ((!level.value || level.value === stands) && (!wanted || texts[row].includes(wanted))) found.push(row);
    }
    page = 0;
    draw();
  };

  search.addEventListener("input", look);
  level.addEventListener("change", look);
  back.addEventListener("click", () => { page -= 1; draw(); });
  on.addEventListener("click", () => { page += 1; draw(); });
  section.hidden = false;
  document.getElementById("no-vms").hidden = true;
  document.getElementById("vms-link").hidden = false;
  look();
})();
