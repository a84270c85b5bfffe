import { useEffect } from "preact/hooks";
import { LibraryPage } from "./library/page";
import { LoginPage } from "./login/page";
import { RecordingPage } from "./recording/page";
import { Link, match, place } from "./router";
import { useStore } from "./store";
import { Header } from "./ui/header";
import { UploadPage } from "./upload/page";
import { words } from "./words";

export function App() {
  const text = useStore(words);
  const { path } = useStore(place);
  const recording = match("/recordings/:id", path);
  const title =
    path === "/upload" ? text.upload.title : path === "/login" ? text.login.title : text.library.title;
  useEffect(() => {
    if (!recording) document.title = `${title} · maie`;
  }, [title, recording]);
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
