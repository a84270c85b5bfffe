// The page /docs: what HTTP offers, from the web part's own OpenAPI document.
import "swagger-ui-dist/swagger-ui.css";
import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "./documentation.css";

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: "/docs/openapi.json",
  dom_id: "#documentation",
  deepLinking: true,
  // The list of routes comes first; a page with all of them open is too long to search.
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  // The public validator is on another host.
  validatorUrl: null,
});
