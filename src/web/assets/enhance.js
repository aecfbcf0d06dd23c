// Progressive enhancement: everything works without this file.

// The browser knows its time zone: propose it where nothing was chosen yet.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const field of document.querySelectorAll('input[data-guess-zone]')) {
  if (field instanceof HTMLInputElement && zone && (field.value === '' || field.value === 'UTC'))
    field.value = zone;
}
