"""What the site has beside this folder: README, CONTRIBUTING and CHANGELOG, with links that lead on."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
_LINK = re.compile(r"(?<=\]\()(?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?(?=\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the repository."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to pages of the site; what is a file of the repository only is named, without a link."""
    generated = {name: source for source, name in PAGES.items()}
    source = generated.get(page.file.src_uri)
    here = ROOT if source is not None else (ROOT / "docs" / page.file.src_uri).parent
    depth = page.file.src_uri.count("/")

    def placed(found: re.Match[str]) -> str:
        target = (here / found["target"]).resolve()
        anchor = found["anchor"] or ""
        if not target.is_relative_to(ROOT) or not target.exists():
            return found[0]  # mkdocs says that it is not there
        uri = target.relative_to(ROOT).as_posix()
        if uri in PAGES:
            return "../" * depth + PAGES[uri] + anchor
        inside = uri.removeprefix("docs/")
        if uri.startswith("docs/") and files.get_file_from_path(inside) is not None:
            return "../" * depth + inside + anchor
        return ""  # of the repository only

    return re.sub(r"(?<!!)\[([^\]]*)\]\(\)", r"\1", _LINK.sub(placed, markdown))
