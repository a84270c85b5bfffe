import { api } from "../api/client";
import { useLoaded } from "../api/use";
import { isRunning, session } from "../live/session";
import { Link, place } from "../router";
import { useStore } from "../store";
import { chooseTheme, THEMES, theme } from "../theme";
import { chooseLanguage, LANGUAGES, language, nameOfLanguage, words } from "../words";
import { Icon } from "./icon";

export function Header() {
  const text = useStore(words);
  const { path } = useStore(place);
  const { value: login } = useLoaded((signal) => api.session(signal), [path === "/login"]);
  return (
    <header class="shell">
      <Link to="/" class="brand">
        <Icon name="brand" />
        <span>maie</span>
      </Link>
      <nav aria-label={text.nav.main}>
        <Link to="/">{text.nav.library}</Link>
        <Link to="/upload">{text.nav.upload}</Link>
        <Link to="/templates">{text.nav.templates}</Link>
        <Link to="/voices">{text.nav.voices}</Link>
        <Link to="/live">
          {text.nav.live}
          <LiveMark />
        </Link>
        {login?.caller.scopes.includes("ADMIN") && <Link to="/admin">{text.admin.title}</Link>}
        <a href="/docs">{text.nav.docs}</a>
      </nav>
      <div class="choices">
        {path !== "/login" && login?.logged_in && <LogOut tenant={login.caller.tenant} />}
        <ThemeChoice />
        <LanguageChoice />
      </div>
    </header>
  );
}

/** For those who read by a link: nothing here leads into the console. */
export function ReaderHeader() {
  return (
    <header class="shell">
      <span class="brand">
        <Icon name="brand" />
        <span>maie</span>
      </span>
      <div class="choices">
        <ThemeChoice />
        <LanguageChoice />
      </div>
    </header>
  );
}

/** Shows on every page that a session runs. */
function LiveMark() {
  const text = useStore(words).live;
  const { phase } = useStore(session);
  return isRunning(phase) ? <span class="live-mark" role="img" aria-label={text.phases[phase]} /> : null;
}

/** For who is logged in; on the machine itself nobody needs to be. */
function LogOut({ tenant }: { tenant: string }) {
  const text = useStore(words).nav;
  return (
    <button
      type="button"
      class="quiet"
      onClick={() => void api.logOut().then(() => location.replace("/login"))}
    >
      {text.logOut} ({tenant})
    </button>
  );
}

function ThemeChoice() {
  const text = useStore(words).theme;
  const chosen = useStore(theme);
  return (
    <fieldset class="switch">
      <legend class="unseen">{text.label}</legend>
      {THEMES.map((each) => (
        <label key={each} title={text[each]}>
          <input type="radio" name="theme" checked={each === chosen} onChange={() => chooseTheme(each)} />
          <Icon name={each} />
          <span class="unseen">{text[each]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function LanguageChoice() {
  const text = useStore(words);
  const chosen = useStore(language);
  return (
    <label class="languages">
      <span class="unseen">{text.language}</span>
      <select
        value={chosen}
        onChange={(event) => {
          const wanted = LANGUAGES.find((each) => each === event.currentTarget.value);
          if (wanted) chooseLanguage(wanted);
        }}
      >
        {LANGUAGES.map((each) => (
          <option key={each} value={each} lang={each}>
            {nameOfLanguage(each)}
          </option>
        ))}
      </select>
    </label>
  );
}
