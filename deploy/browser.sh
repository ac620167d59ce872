#!/bin/sh
# See that Chromium is there for the browser tests: installed where apt and root are at hand, else one loud line.
set -eu
if command -v chromium >/dev/null 2>&1; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "Installing Chromium for the browser tests …"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu; } >/dev/null 2>&1 || true
fi
command -v chromium >/dev/null 2>&1 || {
    echo "*** NO CHROMIUM: the browser tests will be skipped. Install Debian's package 'chromium' to run them. ***" >&2
    if [ "${CI:-}" = true ]; then exit 1; fi
}
