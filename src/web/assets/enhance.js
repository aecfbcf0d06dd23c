// Progressive enhancement: everything works without this file.

// The browser knows its time zone: propose it where nothing was chosen yet.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const field of document.querySelectorAll('input[data-guess-zone]')) {
  if (field instanceof HTMLInputElement && zone && (field.value === '' || field.value === 'UTC'))
    field.value = zone;
}

// Finding a theme among all: shows those with the typed words, and opens their groups.
const finder = document.querySelector('[data-find-topic]');
const words = finder?.querySelector('input');
if (finder instanceof HTMLElement && words) {
  finder.hidden = false;
  const groups = [...document.querySelectorAll('#topics details')].map((group) => ({
    group: /** @type {HTMLDetailsElement} */ (group),
    open: group.hasAttribute('open'),
    choices: /** @type {HTMLElement[]} */ ([...group.querySelectorAll('label')]),
  }));
  words.addEventListener('input', (event) => {
    // What is typed here is no choice: the preview need not follow.
    event.stopPropagation();
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const { group, open, choices } of groups) {
      const name = group.querySelector('summary')?.textContent ?? '';
      for (const choice of choices) {
        const text = `${name} ${choice.textContent}`.toLowerCase();
        choice.hidden = !wanted.every((word) => text.includes(word));
      }
      const fits = choices.filter((choice) => !choice.hidden).length;
      group.hidden = fits === 0;
      group.open = wanted.length > 0 ? fits > 0 : open || group.querySelector(':checked') !== null;
      found += fits;
    }
    const status = finder.querySelector('[role=status]');
    if (status)
      status.textContent =
        wanted.length === 0 ? '' : found > 0 ? `${found} found` : 'None of these; write it under Searches.';
  });
  // Enter looks, it does not save.
  words.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') event.preventDefault();
  });
}

// The preview follows the form: one request at a time, the newest choices last.
const form = document.querySelector('form[data-preferences]');
const place = document.getElementById('preview');
if (form instanceof HTMLFormElement && place) {
  const button = form.querySelector('button[formaction]');
  const address = (button?.getAttribute('formaction') ?? '').replace(/#.*$/, '?fragment=1');
  let waiting = 0;
  let controller = new AbortController();

  const show = async () => {
    controller.abort();
    controller = new AbortController();
    const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
    try {
      const answer = await fetch(address, { method: 'POST', body, signal: controller.signal });
      // Faults are shown in the preview's place while one types; saving shows them at the top.
      if (answer.ok || answer.status === 400) place.innerHTML = await answer.text();
    } catch {
      // Aborted by a newer change, or offline: the button still works.
    }
  };

  form.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = window.setTimeout(show, 150);
  });
  button?.addEventListener('click', (event) => {
    event.preventDefault();
    void show().then(() => place.scrollIntoView({ behavior: 'smooth' }));
  });
  void show();
}
