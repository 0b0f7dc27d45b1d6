// Search results show a summary that the browser fetches from each page. It may not fetch pages
// that lie on disk, so that results there are titles alone.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
