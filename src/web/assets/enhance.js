// Progressive enhancement: everything works without this file.

// The browser knows its time zone: propose it where nothing was chosen yet.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const field of document.querySelectorAll('input[data-guess-zone]')) {
  if (field instanceof HTMLInputElement && zone && (field.value === '' || field.value === 'UTC'))
    field.value = zone;
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
