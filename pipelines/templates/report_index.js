(() => {
  const box = document.getElementById("search"), told = document.getElementById("found");
  const plain = text => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const entries = [...document.querySelectorAll("li.report")].map(item => [item, item.dataset.words]);
  const groups = [...document.querySelectorAll("section, .year")].reverse();
  const filter = () => {
    const words = plain(box.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [item, text] of entries) {
      item.hidden = !words.every(word => text.includes(word));
      count += item.hidden ? 0 : 1;
    }
    for (const group of groups) group.hidden = !group.querySelector("li.report:not([hidden])");
    told.textContent = String(count);
  };
  box.closest("search").hidden = false;
  box.addEventListener("input", filter);
  filter();
})();
