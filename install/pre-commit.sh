#!/bin/sh
# Runs the released command of this hook's version; downloads it once, beside itself.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^version = "\(.*\)"$/v\1/p' "$here/../Cargo.toml" | head -1)
if ! test -x "$here/bin/$version/kyma-dynatrace"; then
  "$here/kyma-dynatrace.sh" "$version" "$here/bin/$version" > /dev/null
fi
exec "$here/bin/$version/kyma-dynatrace" check "$@"
