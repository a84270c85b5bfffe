"""A hook of MkDocs: pages from the whole repository, under the paths that they have there.

So links between pages work in the site as they do in the repository. A link to another file of the
repository, such as code, becomes its text, since the site does not have the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink

ROOT = Path(__file__).parents[1]
# A link and its target, without a picture's; the text may have code in it.
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])+)\]\(([^)#\s]+)(#[^)\s]*)?\)")
_ITEM = re.compile(r"(?:\d+\.|[-*]) +(?=\S)")
# The title and two sections: wide tables need the room.
_FEW = 3
# A name of the contract with its package, as it stands in a heading.
_PACKAGE = re.compile(r"^maie(\.\w+)*\.(?=[A-Z])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The theme's files, the pages that the navigation names, and the pictures of docs/.

    Raises:
        PluginError: It leaves out a page of docs/.
    """
    kept = [_moved(file, config) for file in files if not file.is_documentation_page()]
    named = list(_named(config.nav))
    for file in files.documentation_pages():
        if f"docs/{file.src_uri}" not in named:
            raise PluginError(f"mkdocs.yml has no place in its nav for docs/{file.src_uri}")
    pages = [
        File.generated(config, name, abs_src_path=str(ROOT / name))
        for name in named
        if (ROOT / name).is_file()
    ]
    return Files([*kept, *pages])


def _moved(file: File, config: MkDocsConfig) -> File:
    """A file of docs/ at the path that it has in the repository; others stay."""
    if file.src_dir != config.docs_dir:
        return file
    return File.generated(config, f"docs/{file.src_uri}", abs_src_path=file.abs_src_path)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with links that lead somewhere in the site."""
    folder = (ROOT / page.file.src_uri).parent

    def resolved(link: re.Match[str]) -> str:
        text, target, _ = link.groups()
        there = (folder / target).resolve()
        if "://" in target or not there.is_relative_to(ROOT) or not there.exists():
            return link[0]  # MkDocs judges it
        name = there.relative_to(ROOT).as_posix()
        if files.get_file_from_path(name):
            return link[0]
        readme = f"{name}/README.md"
        if files.get_file_from_path(readme):
            return link[0].replace(f"]({target}", f"]({target.rstrip('/')}/README.md", 1)
        return str(text)

    return "".join(
        part if index % 2 else _indented(_LINK.sub(resolved, part))
        for index, part in enumerate(_outside_fences(markdown))
    )


def on_page_content(html: str, page: Page, **_: Any) -> None:
    """Shortens the names in the table of contents, and hides one of which nobody has a use."""
    if sum(1 for _ in _sections(page.toc)) <= _FEW:
        page.meta.setdefault("hide", []).append("toc")
    for section in _sections(page.toc):
        section.title = _PACKAGE.sub("", section.title)


def _sections(sections: Iterable[AnchorLink]) -> Iterator[AnchorLink]:
    """All entries of a table of contents."""
    for section in sections:
        yield section
        yield from _sections(section.children)


def _indented(markdown: str) -> str:
    """The text with what belongs to an item of a list at four columns, as Python-Markdown needs it.

    CommonMark, by which the pages are written, has it where the item's own text begins. Nor does
    Python-Markdown see an item right after a block of code.
    """
    lines, width, in_code = [], 0, False
    for line in markdown.splitlines(keepends=True):
        if item := _ITEM.match(line):
            width = len(item[0])
        elif not line[0].isspace():
            width = 0
        elif width and line.startswith(" " * width):
            line = " " * (4 - width) + line
            if line.strip().startswith("```"):
                in_code = not in_code
                line += "" if in_code else "\n"
        lines.append(line)
    return "".join(lines)


def _outside_fences(markdown: str) -> list[str]:
    """The text, with every second part a block of code."""
    return re.split(r"(^```.*?^```\n?)", markdown, flags=re.DOTALL | re.MULTILINE)


def _named(nav: Any) -> Iterator[str]:
    """The pages of a navigation, in order."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        for inner in nav.values():
            yield from _named(inner)
    else:
        for inner in nav or ():
            yield from _named(inner)
