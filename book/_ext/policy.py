"""A policy in each page that lets the browser prove what `self_contained` promises.

The browser refuses whatever the policy does not name: other hosts, scripts and styles written
into the page that the build has not seen (each has its hash here), `eval`, frames, requests of
scripts to other hosts. The policy is a `<meta>` element because the pages are files, opened from a
disk or from any server. Addresses that begin with `file:` count as the page's own only where they
are named.
"""

import re
from base64 import b64encode
from hashlib import sha256
from html import unescape

CHARSET = re.compile(r'<meta charset="[^"]*"\s*/?>')
# Browsers run what has no type or a script's; a script with an address has no words of its own.
SCRIPT = re.compile(r"<script(?![^>]*\s(?:src|type)=)[^>]*>(.*?)</script>", re.DOTALL)
STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
STYLE_ATTRIBUTE = re.compile(r'<[a-z][^<>]*\sstyle="([^"]*)"')
HANDLER = re.compile(r'<[a-z][^<>]*\s(on[a-z]+)="')

OWN = "'self' file:"


def hashes(texts: list[str]) -> list[str]:
    """Return each text once as a policy names it."""
    digests = {b64encode(sha256(text.encode()).digest()).decode() for text in texts}
    return [f"'sha256-{digest}'" for digest in sorted(digests)]


def policy_for(html: str) -> str:
    """Return the policy that fits a page.

    Raises ValueError for an inline event handler: no policy worth its name allows one.
    """
    if handler := HANDLER.search(html):
        raise ValueError(
            f"html must have no inline event handlers, got {handler[0][:120]!r}: "
            "listen in a script of book/_static instead"
        )
    scripts = hashes(SCRIPT.findall(html))
    styles = hashes(STYLE.findall(html))
    attributes = hashes([unescape(value) for value in STYLE_ATTRIBUTE.findall(html)])
    directives = {
        "default-src": ["'none'"],
        "script-src": [OWN, *scripts],
        "style-src": [OWN, *styles],
        # The alignments that MathML and tables carry: hashes let these values in and no others.
        "style-src-attr": ["'unsafe-hashes'", *attributes] if attributes else ["'none'"],
        "img-src": [OWN, "data:"],
        "font-src": [OWN, "data:"],
        "media-src": [OWN, "data:"],
        # No script of ours asks for anything; Lighthouse asks for robots.txt in the page's name.
        "connect-src": ["'self'"],
        "form-action": [OWN],
        "base-uri": ["'none'"],
    }
    return "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())


def guard(html: str) -> str:
    """Return the page with its policy, before anything that the policy is about."""
    charset = CHARSET.search(html)
    if not charset:
        raise ValueError("html must have <meta charset=…>, which the policy follows, got none")
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy_for(html)}">'
    return html[: charset.end()] + meta + html[charset.end() :]
