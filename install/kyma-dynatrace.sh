#!/bin/sh
# Puts the released command of a version into a folder, and checks its hash.
#
#   kyma-dynatrace.sh VERSION FOLDER
#
# RELEASES names another place than GitHub to download from.
set -eu

version=${1:?"the version is missing, for example v0.2.0"}
folder=${2:?"the folder is missing"}
releases=${RELEASES:-https://github.com/kyma-dynatrace-policy/kyma-dynatrace-policy/releases/download}

fail() {
  echo "error: $1" >&2
  exit 1
}

case $(uname -s) in
  Linux) os=linux ;;
  Darwin) os=darwin ;;
  *) fail "there is no released command for $(uname -s): build it with \`make kyma-dynatrace\`" ;;
esac
case $(uname -m) in
  x86_64 | amd64) machine=amd64 ;;
  aarch64 | arm64) machine=arm64 ;;
  *) fail "there is no released command for $(uname -m): build it with \`make kyma-dynatrace\`" ;;
esac
archive=kyma-dynatrace-$os-$machine.tar.gz

mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for file in "$archive" SHA256SUMS; do
  curl --fail --silent --show-error --location --retry 3 --output "$work/$file" "$releases/$version/$file" ||
    fail "cannot download $file of $version"
done

cd "$work"
grep -E "^[0-9a-f]{64} [ *]$archive\$" SHA256SUMS > expected || fail "SHA256SUMS of $version does not list $archive"
if command -v sha256sum > /dev/null; then
  sha256sum --check --status expected || fail "$archive is not what was released: its hash differs"
else
  shasum --algorithm 256 --check --status expected || fail "$archive is not what was released: its hash differs"
fi
tar -xzf "$archive" kyma-dynatrace
cd - > /dev/null
mv "$work/kyma-dynatrace" "$folder/kyma-dynatrace"
echo "$folder/kyma-dynatrace"
