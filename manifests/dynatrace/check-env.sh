#!/bin/sh
# Says what is missing or wrong in dynatrace.env, before anything is applied. Prints no value.
#
#   check-env.sh [FILE]
set -u

file=${1:-$(dirname "$0")/base/dynatrace.env}
found=0

complain() {
  echo "error: $(basename "$file"): $1" >&2
  found=1
}

test -r "$file" || {
  complain "the file is missing: copy dynatrace.env.example to it, and fill in the three lines"
  exit 1
}

blank=$(printf '[ \t\r]')
for key in apiurl apiToken dataIngestToken; do
  case $(grep -c "^$key=" "$file") in
    0) complain "$key is missing: take the \`#\` off its line"; continue ;;
    1) ;;
    *) complain "$key is there more than once"; continue ;;
  esac
  value=$(sed -n "s/^$key=//p" "$file")
  case $value in
    '') complain "$key is empty" ;;
    $blank* | *$blank) complain "$key has a blank in front or behind; the Operator refuses it" ;;
    \"* | \'*) complain "$key is quoted; the quotes would be part of the value" ;;
  esac
done

# What is wrong with a URL that is there.
url=$(sed -n 's/^apiurl=//p' "$file")
case $url in
  '') ;;
  *'<'* | *ENVIRONMENTID*) complain "apiurl is still the example" ;;
  *.apps.*) complain "apiurl is the address bar's URL: the API's has \`.live.\` in the place of \`.apps.\`" ;;
  https://*/api) ;;
  https://*) complain "apiurl does not end in /api" ;;
  *) complain "apiurl does not begin with https://" ;;
esac

test "$found" = 0 && echo "$(basename "$file"): all three lines are filled in"
exit "$found"
