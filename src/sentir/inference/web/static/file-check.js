// Opened as a file, browsers load no modules: say so, since page.js cannot.
"use strict";
if (location.protocol === "file:") {
  document.getElementById("status").textContent =
    "Browsers load no model from a file. Serve the folder, with any web server: python3 -m http.server · " +
    "Los navegadores no cargan modelos desde un archivo. Sirva la carpeta con cualquier servidor web.";
}
