// Arrow keys in an explorer's lists belong to the list, not to the notebook. The lists are other widgets, perhaps not in the page yet.
function keepKeysOfLists(el, tries = 100) {
  const explorer = el.closest(".rtvirt-explorer");
  const lists = explorer ? explorer.querySelectorAll("select") : [];
  for (const list of lists) list.dataset.lmSuppressShortcuts = "true";
  if (!lists.length && tries) setTimeout(() => keepKeysOfLists(el, tries - 1), 50);
}
