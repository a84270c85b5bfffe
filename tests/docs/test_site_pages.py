"""The hook of MkDocs makes pages of a repository that read and lead as they do there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.conftest import ROOT, mkdocs, needs_mkdocs

pytestmark = [pytest.mark.mesh, needs_mkdocs]

# What the site's own settings have checked.
VALIDATION = re.search(r"^validation:\n( .*\n)+", (ROOT / "mkdocs.yml").read_text(), re.M)
assert VALIDATION
SETTINGS = f"""
site_name: small
docs_dir: docs
hooks: [tools/site_pages.py]
plugins: []
markdown_extensions: [tables, pymdownx.superfences]
nav:
  - First: README.md
  - Second: docs/second.md
  - Folder: folder/README.md
  - Contract: docs/contract.md
{VALIDATION[0]}
"""
FIRST = """# First

[second](docs/second.md), [part](docs/second.md#a-part), [room](folder/), [elsewhere](https://example.com/page),
[code `f`](tools/site_pages.py).

```
[in code](tools/site_pages.py)
- no item

  no text of one
```

1. one

   ```sh
   command
   ```
2. two

   | a | b |
   | - | - |
   | 1 | 2 |

   - inner
"""
PAGES = {
    "README.md": FIRST,
    "docs/second.md": "# Second\n\n## A part\n\n[first](../README.md)\n\n## B part\n\n## C part\n",
    "folder/README.md": "# Folder\n",
    "docs/contract.md": "# Contract\n\n## maie.job.v1.Job\n\n## maie/job/v1/job.proto\n\n## Call\n",
    "docs/site.css": "",
    "mkdocs.yml": SETTINGS,
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small one with this hook."""
    for name, text in PAGES.items():
        path = tmp_path / "repository" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "repository/tools").mkdir()
    shutil.copy(ROOT / "tools/site_pages.py", tmp_path / "repository/tools")
    return tmp_path / "repository"


def built(repository: Path) -> subprocess.CompletedProcess[str]:
    return mkdocs(repository, repository / "site")


def page(repository: Path, name: str = "") -> str:
    done = built(repository)
    assert done.returncode == 0, done.stderr
    return (repository / "site" / name / "index.html").read_text()


def test_links_lead_where_they_lead_in_the_repository(repository: Path) -> None:
    text = page(repository)
    for link in (
        '<a href="docs/second/">second</a>',
        '<a href="docs/second/#a-part">part</a>',
        '<a href="folder/">room</a>',
        '<a href="https://example.com/page">elsewhere</a>',
    ):
        assert link in text
    assert '<a href="../../">first</a>' in page(repository, "docs/second")


def test_a_link_to_what_the_site_lacks_becomes_its_text(repository: Path) -> None:
    text = page(repository)
    assert "code <code>f</code>.</p>" in text
    assert "[in code](tools/site_pages.py)" in text


def test_lists_keep_what_belongs_to_their_items(repository: Path) -> None:
    text = page(repository)
    items = text[text.index("<ol>") : text.index("</ol>")]
    assert "command" in items
    assert "<table>" in items
    assert "<li>inner</li>" in items
    assert text.count("<ol>") == 1
    assert "- no item\n\n  no text of one\n" in text


def test_names_in_a_table_of_contents_have_no_package(repository: Path) -> None:
    text = page(repository, "docs/contract")
    assert 'href="#maiejobv1job" class="nav-link">Job</a>' in text
    assert 'href="#maiejobv1jobproto" class="nav-link">maie/job/v1/job.proto</a>' in text


def test_a_page_that_the_navigation_lacks_fails(repository: Path) -> None:
    (repository / "docs/third.md").write_text("# Third\n")
    assert "no place in its nav for docs/third.md" in built(repository).stderr
    assert built(repository).returncode


@pytest.mark.parametrize("link", ["docs/third.md", "code.py", "nowhere/", "../README.md#nowhere"])
def test_a_dead_link_fails(link: str, repository: Path) -> None:
    (repository / "folder/README.md").write_text(f"# Folder\n\n[dead]({link})\n")
    done = built(repository)
    assert done.returncode
    assert link in done.stderr
