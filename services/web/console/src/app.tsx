import { useEffect } from "preact/hooks";
import { AdminPage } from "./admin/page";
import { ComparePage } from "./compare/lazy";
import { LibraryPage } from "./library/page";
import { LivePage } from "./live/page";
import { CaptionsPage } from "./live/projector";
import { isRunning, session } from "./live/session";
import { LoginPage } from "./login/page";
import { recorder } from "./recorder/recorder";
import { RecordingPage } from "./recording/page";
import { Link, match, place } from "./router";
import { SharedPage } from "./shared/page";
import { useStore } from "./store";
import { TemplatesPage } from "./templates/list";
import { NewTemplatePage, TemplatePage } from "./templates/page";
import { Header } from "./ui/header";
import { useWarningBeforeLeaving } from "./ui/leaving";
import { UploadPage } from "./upload/page";
import { isSending, uploads } from "./upload/queue";
import { VoicesPage } from "./voices/page";
import { words } from "./words";

const CAPTIONS = "/live/captions";
const COMPARISON = "/compare";
const SHARED = ["/s", "/s/"];

export function App() {
  const text = useStore(words);
  const { path } = useStore(place);
  const recording = match("/recordings/:id", path);
  const template = match("/templates/:id", path);
  const title = titleAt(path, text);
  const isLive = isRunning(useStore(session).phase);
  const isRecording = useStore(recorder).phase === "recording";
  const sends = isSending(useStore(uploads));
  useWarningBeforeLeaving(isLive || isRecording || sends);
  useEffect(() => {
    if (!recording && !SHARED.includes(path)) document.title = `${title} · maie`;
  }, [title, recording, path]);
  if (path === CAPTIONS) return <CaptionsPage />;
  if (SHARED.includes(path)) return <SharedPage />;
  return (
    <>
      <a class="skip" href="#content">
        {text.skip}
      </a>
      <Header />
      <main id="content" tabIndex={-1}>
        {path === "/" ? (
          <LibraryPage />
        ) : path === "/upload" ? (
          <UploadPage />
        ) : path === "/live" ? (
          <LivePage />
        ) : path === "/templates" ? (
          <TemplatesPage />
        ) : path === "/templates/new" ? (
          <NewTemplatePage />
        ) : template?.id ? (
          <TemplatePage key={template.id} id={template.id} />
        ) : path === "/voices" ? (
          <VoicesPage />
        ) : path === "/admin" ? (
          <AdminPage />
        ) : path === COMPARISON ? (
          <ComparePage />
        ) : path === "/login" ? (
          <LoginPage />
        ) : recording?.id ? (
          <RecordingPage key={recording.id} id={recording.id} />
        ) : (
          <div class="empty">
            <h1>{text.problem.notFound}</h1>
            <Link class="button" to="/">
              {text.problem.toLibrary}
            </Link>
          </div>
        )}
      </main>
    </>
  );
}

function titleAt(path: string, text: typeof words.value): string {
  switch (path) {
    case "/upload":
      return text.upload.title;
    case "/live":
      return text.live.title;
    case CAPTIONS:
      return text.live.captions;
    case COMPARISON:
      return text.compare.title;
    case "/voices":
      return text.voices.title;
    case "/admin":
      return text.admin.title;
    case "/login":
      return text.login.title;
    default:
      if (path.startsWith("/templates")) return text.templates.title;
      return text.library.title;
  }
}
