// Ranks the passages of the book for a question; `book/_ext/passages.py` tells how they are cut and
// weighed. Takes the place of the search of Sphinx's searchtools.js, whose page and stemmer it uses.
"use strict";

(() => {
  const MOST = 20;
  // Words of a question that say nothing of its subject, besides Sphinx's list of stop words.
  const ASKING = new Set(
    "an can did do does how i my should what when where which who why vs you".split(" "),
  );

  // Initialise and initialize are one word.
  const AMERICAN = /is(e|ed|es|ing|ation)$/;

  function stems(query) {
    const stemmer = new Stemmer();
    const asked = splitQuery(query.toLowerCase());
    const said = asked.filter((word) => !stopwords.includes(word) && !ASKING.has(word));
    const spelt = (said.length ? said : asked).map((word) => word.replace(AMERICAN, "iz$1"));
    return [...new Set(spelt.map((word) => stemmer.stemWord(word)))];
  }

  // The weights of a stem, or of all words that begin with it if no passage has it.
  function lookUp(words, stem) {
    if (Object.hasOwn(words, stem)) return words[stem];
    if (stem.length < 3) return [];
    return Object.keys(words)
      .filter((word) => word.startsWith(stem))
      .flatMap((word) => words[word]);
  }

  // A passage's score is the sum of its weights, a rare word counting more, times the share of the
  // question that it has.
  function rank({ passages, words }, asked) {
    const scores = new Map();
    let all = 0;
    for (const stem of asked) {
      const found = lookUp(words, stem);
      if (!found.length) continue;
      const best = new Map();
      for (let k = 0; k < found.length; k += 2) {
        best.set(found[k], Math.max(found[k + 1], best.get(found[k]) ?? 0));
      }
      const rarity = Math.log(1 + (passages.length - best.size + 0.5) / (best.size + 0.5));
      all += rarity;
      for (const [passage, weight] of best) {
        const [score, share] = scores.get(passage) ?? [0, 0];
        scores.set(passage, [score + rarity * weight, share + rarity]);
      }
    }
    return [...scores]
      .map(([passage, [score, share]]) => [(score * share) / all, passage])
      .sort((a, b) => b[0] - a[0] || a[1] - b[1])
      .slice(0, MOST)
      .map(([, passage]) => passages[passage]);
  }

  function show([page, anchor, title, excerpt], { pages }) {
    const item = document.createElement("li");
    const link = item.appendChild(document.createElement("a"));
    link.href = `${page}.html#${anchor}`;
    link.textContent = title;
    if (pages[page] !== title) item.append(` · ${pages[page]}`);
    if (excerpt) {
      const context = item.appendChild(document.createElement("p"));
      context.className = "context";
      context.textContent = excerpt;
    }
    return item;
  }

  Search.query = (query) => {
    const found = rank(Search._index, stems(query));
    Search.stopPulse();
    Search.title.textContent = "Search results";
    Search.status.textContent = found.length
      ? `${found.length} passages, the best first.`
      : "Nothing found. Try fewer words, or other ones: the glossary has those of the field.";
    Search.output.append(...found.map((passage) => show(passage, Search._index)));
  };
})();
