"""What the site has beside this folder: README, CONTRIBUTING, CHANGELOG and the tutorials, with links that lead on."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))
from notebooks import TUTORIALS, to_markdown

ROOT = Path(__file__).parents[1]
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
_LINK = re.compile(r"(?<=\]\()(?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?(?=\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the repository."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for notebook in sorted(TUTORIALS.glob("*.ipynb")):
        page, pictures = to_markdown(json.loads(notebook.read_text(encoding="utf-8")), notebook.stem)
        page += f"\nThis page is a notebook: [{notebook.name}]({notebook.name}).\n"
        files.append(File.generated(config, f"tutorials/{notebook.stem}.md", content=page))
        for name, data in pictures.items():
            files.append(File.generated(config, f"tutorials/{name}", content=data))
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
        if page.file.src_uri.removesuffix(".md") != inside.removesuffix(".ipynb"):  # a page links to its own notebook
            inside = re.sub(r"\.ipynb$", ".md", inside)
        if uri.startswith("docs/") and files.get_file_from_path(inside) is not None:
            return "../" * depth + inside + anchor
        return ""  # of the repository only

    return re.sub(r"(?<!!)\[([^\]]*)\]\(\)", r"\1", _LINK.sub(placed, markdown))


_RESOURCE = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?(?P<src>(?:https?:)?//[^\"'\s>]+)"
    r"|<link\b(?=[^>]*rel=[\"']?(?:stylesheet|preload|icon|preconnect))[^>]*\bhref=[\"']?(?P<href>(?:https?:)?//[^\"'\s>]+)"
)


def on_post_build(config: MkDocsConfig) -> None:
    """Raise PluginError where a page would fetch something from outside."""
    for page in sorted(Path(config.site_dir).rglob("*.html")):
        found = _RESOURCE.search(page.read_text(encoding="utf-8"))
        if found is not None:
            raise PluginError(f"{page}: fetches {found['src'] or found['href']}; the site needs nothing from outside")
