"use strict";
// Lists VMs page by page, each with its steps. Text from outside reaches the page through textContent alone.
(() => {
  const section = document.getElementById("steps");
  const data = JSON.parse(document.getElementById("vm-rows").textContent);
  if (!data.vms || !data.vms.length) return;
  const PAGE = 25;
  const list = document.getElementById("vm-list");
  const said = section.querySelector("[role=status]");
  const search = document.getElementById("vm-search");
  const wanted = document.getElementById("vm-end");
  const [back, on] = section.querySelectorAll("button");
  const text = number => data.texts[number];
  const words = data.vms.map(vm => [vm[0], text(vm[1]), text(vm[2]), text(vm[4])].join("\n").toLowerCase());
  let found = [];
  let page = 0;

  const made = (tag, inside, name) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (typeof inside === "string") {
      const isolated = document.createElement("bdi");
      isolated.textContent = inside;
      element.append(isolated);
    } else if (inside) {
      element.append(...inside);
    }
    return element;
  };

  const at = seconds => new Date((data.base + seconds) * 1000).toISOString().slice(0, 19).replace("T", " ");

  const HEADS = ["Stage", "Try", "Step", "State", "Began (UTC)", "Seconds", "Attempts", "Code", "Came to", "Evidence"];
  const NUMBERS = [1, 5, 6];
  const LONG = [8, 9];
  const look = place => NUMBERS.includes(place) ? "number" : LONG.includes(place) ? "long" : {2: "what", 4: "when"}[place] || "";

  const steps = vm => {
    const head = made("tr", HEADS.map((title, place) => {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.className = look(place);
      cell.textContent = title;
      return cell;
    }));
    const rows = vm[10].map(([stage, count, began, took, attempt, what, state, code, detail, evidence]) =>
      made("tr", [data.stages[stage], String(count), text(what), text(state), at(began), took < 0 ? "" : String(took),
        String(attempt), text(code), text(detail), text(evidence)].map((one, place) => made("td", one, look(place)))));
    const region = made("div", [made("table", [made("thead", [head]), made("tbody", rows)])], "scroll");
    region.tabIndex = 0;
    region.setAttribute("role", "region");
    region.setAttribute("aria-label", `Steps of ${vm[0]}`);
    return region;
  };

  const facts = vm => {
    const said = [];
    if (text(vm[7])) said.push(made("p", `Signed by: ${text(vm[7])}`, "why"));
    if (vm[8].length) said.push(made("p", `Its owner had to agree to: ${vm[8].map(text).join("; ")}.`, "why"));
    if (vm[9].length) said.push(made("p", `Exceptions: ${vm[9].map(text).join("; ")}.`, "why"));
    if (!vm[10].length) said.push(made("p", "Nothing was done yet.", "why"));
    return said;
  };

  const entry = vm => {
    const away = vm[5] === null ? "not away" : `away ${vm[5]} min`;
    const planned = vm[6] === null ? "" : `, planned ${vm[6]}`;
    const reason = text(vm[4]) ? `: ${text(vm[4])}` : "";
    const more = `${text(vm[1])}, ${away}${planned}${reason}`;
    const summary = made("summary", [made("strong", vm[0]), " ", made("span", data.ends[vm[3]], "end"), " ", made("span", more, "more")]);
    const details = made("details", [summary]);
    // Steps are made when somebody wants to see them.
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(...facts(vm), ...(vm[10].length ? [steps(vm)] : []));
    });
    return details;
  };

  const draw = () => {
    const last = Math.max(Math.ceil(found.length / PAGE) - 1, 0);
    page = Math.min(Math.max(page, 0), last);
    list.replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(row => entry(data.vms[row])));
    said.textContent = `${found.length.toLocaleString("en")} ${found.length === 1 ? "VM" : "VMs"}, page ${page + 1} of ${last + 1}`;
    back.disabled = page === 0;
    on.disabled = page === last;
  };

  const filter = () => {
    const word = search.value.trim().toLowerCase();
    found = [];
    for (let row = 0; row < words.length; row++) {
      if ((!wanted.value || data.ends[data.vms[row][3]] === wanted.value) && (!word || words[row].includes(word))) found.push(row);
    }
    page = 0;
    draw();
  };

  for (const end of data.ends.filter((_, number) => data.vms.some(vm => vm[3] === number))) {
    const option = document.createElement("option");
    option.textContent = end;
    wanted.append(option);
  }
  search.addEventListener("input", filter);
  wanted.addEventListener("change", filter);
  back.addEventListener("click", () => { page -= 1; draw(); });
  on.addEventListener("click", () => { page += 1; draw(); });
  section.hidden = false;
  document.getElementById("no-steps").hidden = true;
  document.getElementById("steps-link").hidden = false;
  filter();
})();
