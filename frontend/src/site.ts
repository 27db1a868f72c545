/** On every page: the look, htmx with the CSRF token, and small behaviours that a page asks for by data attributes. */
import "bootstrap/dist/css/bootstrap.min.css";
import "./site/tokens.css";
import htmx from "htmx.org";
import { csrfToken } from "./csrf";
import { confirmations } from "./site/confirmations";
import { nextCase } from "./site/nextcase";
import { tables } from "./site/tables";
import { theme } from "./site/theme";

// A strict content security policy stands behind these.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
// Nothing of a page is kept in the browser's storage: going back asks the server again.
htmx.config.historyCacheSize = 0;
htmx.config.refreshOnHistoryMiss = true;

document.addEventListener("htmx:configRequest", (event) => {
  const { detail } = event as CustomEvent<{ headers: Record<string, string>; verb: string }>;
  if (detail.verb !== "get") detail.headers["X-CSRFToken"] = csrfToken();
});

theme();
nextCase();
confirmations();
tables(document);
document.addEventListener("htmx:load", (event) => {
  if (event.target instanceof HTMLElement) tables(event.target);
});
