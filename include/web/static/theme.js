// Light and dark as Airflow has them, before anything is drawn. Airflow marks its own <html>; outside of its frame its setting is read.
(() => {
  "use strict";
  const mine = document.documentElement;
  const airflow = () => {
    try {
      return window.parent !== window ? window.parent.document.documentElement : null;
    } catch {
      return null;
    }
  };
  const dark = () => {
    const theirs = airflow();
    if (theirs && (theirs.classList.contains("dark") || theirs.classList.contains("light"))) return theirs.classList.contains("dark");
    let kept = "system";
    try {
      kept = localStorage.getItem("theme") || "system";
    } catch {
      // No storage: then as the machine has it.
    }
    return kept === "dark" || (kept !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  };
  const follow = () => {
    const now = dark() ? "dark" : "light";
    if (mine.dataset.theme === now) return;
    mine.dataset.theme = now;
    document.dispatchEvent(new CustomEvent("cj:theme"));
  };
  follow();
  const theirs = airflow();
  if (theirs) new MutationObserver(follow).observe(theirs, { attributes: true, attributeFilter: ["class", "data-theme", "style"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);
})();
