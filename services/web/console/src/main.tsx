import { render } from "preact";
import { App } from "./app";
import { startMirror } from "./live/mirror";
import { startRouter } from "./router";
import "./ui/theme.css";
import "./ui/base.css";
import "./ui/shell.css";
import "./ui/controls.css";
import "./upload/upload.css";
import "./library/library.css";
import "./recording/recording.css";
import "./recording/waveform/waveform.css";
import "./speakers/speakers.css";
import "./live/live.css";
import "./admin/admin.css";
import "./templates/templates.css";
import { showTheme } from "./theme";
import { language } from "./words";
import "./ui/print.css";

const root = document.getElementById("console");
if (root) {
  showTheme();
  document.documentElement.lang = language.value;
  startRouter();
  startMirror();
  render(<App />, root);
}
