#!/usr/bin/env bats
# The cases of cases.yaml, and what else kwctl does with a policy. KWCTL names the command; `make e2e-kwctl` runs this.
# What is asked and what has to be answered is in target/e2e, where the tests of the embedded engine put it.

bats_require_minimum_version 1.5.0

KWCTL=${KWCTL:-kwctl}
POLICY=${POLICY:-annotated-policy.wasm}
XTASK=${XTASK:-target/debug/xtask}

ask() { # request, settings: one line of JSON in $output, with the patch in plain JSON
  # shellcheck disable=SC2086
  run --separate-stderr $KWCTL run --request-path "$1" --settings-path "$2" "$POLICY"
}

decides() { # a case: allowed, the patched object, message, warnings and audit annotations
  ask "target/e2e/$1/request.json" "target/e2e/$1/settings.json"
  [ "$status" -eq 0 ]
  "$XTASK" same-answer "target/e2e/$1/request.json" "target/e2e/$1/expected.json" <<< "$output"
}

refuses_settings() { # settings, the message
  printf '%s' "$1" > "$BATS_TEST_TMPDIR/settings.json"
  ask target/e2e/01-traces-direct/request.json "$BATS_TEST_TMPDIR/settings.json"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"Provided settings are not valid"* ]]
  [[ "$stderr" == *"$2"* ]]
}

# cases: made by `make bless` from cases.yaml
@test "01-traces-direct" { decides 01-traces-direct; }
@test "01-traces-direct-validate" { decides 01-traces-direct-validate; }
@test "02-metrics-collector" { decides 02-metrics-collector; }
@test "02-metrics-collector-validate" { decides 02-metrics-collector-validate; }
@test "03-metrics-direct" { decides 03-metrics-direct; }
@test "04-istio" { decides 04-istio; }
@test "04-prometheus" { decides 04-prometheus; }
@test "04-runtime" { decides 04-runtime; }
@test "04-istio-warn" { decides 04-istio-warn; }
@test "04-istio-off" { decides 04-istio-off; }
@test "05-delta" { decides 05-delta; }
@test "06-auto" { decides 06-auto; }
@test "06-auto-validate" { decides 06-auto-validate; }
@test "07-auto-old-module" { decides 07-auto-old-module; }
@test "07-always-old-module" { decides 07-always-old-module; }
@test "08-traces-endpoint-only" { decides 08-traces-endpoint-only; }
@test "08-traces-endpoint-only-validate" { decides 08-traces-endpoint-only-validate; }
@test "08-metrics-endpoint-only" { decides 08-metrics-endpoint-only; }
@test "09-prefix" { decides 09-prefix; }
@test "09-prefix-validate" { decides 09-prefix-validate; }
@test "10-metrics-path" { decides 10-metrics-path; }
@test "11-grpc" { decides 11-grpc; }
@test "12-istio-off" { decides 12-istio-off; }
@test "13-elsewhere" { decides 13-elsewhere; }
@test "14-update-label" { decides 14-update-label; }
@test "14-update-filled-in-by-the-module" { decides 14-update-filled-in-by-the-module; }
@test "14-update-path" { decides 14-update-path; }
@test "14-update-input" { decides 14-update-input; }
@test "14-update-repairs" { decides 14-update-repairs; }
@test "15-delete" { decides 15-delete; }
@test "everything-at-once" { decides everything-at-once; }
@test "collector-port" { decides collector-port; }
@test "collector-everything-at-once" { decides collector-everything-at-once; }
@test "activegate-in-the-cluster" { decides activegate-in-the-cluster; }
@test "unknown-dynatrace-host" { decides unknown-dynatrace-host; }
@test "bearer-on-saas" { decides bearer-on-saas; }
@test "managed-with-environment" { decides managed-with-environment; }
@test "finalizer-removal" { decides finalizer-removal; }
@test "fluent-bit" { decides fluent-bit; }
@test "no-spec" { decides no-spec; }
@test "other-kind" { decides other-kind; }
@test "row-01-secret-with-the-whole-path" { decides row-01-secret-with-the-whole-path; }
@test "row-02a-path-behind-an-unknown-base" { decides row-02a-path-behind-an-unknown-base; }
@test "row-02b-path-behind-an-unknown-base" { decides row-02b-path-behind-an-unknown-base; }
@test "row-02c-path-behind-an-unknown-base" { decides row-02c-path-behind-an-unknown-base; }
@test "row-02d-path-of-another-signal" { decides row-02d-path-of-another-signal; }
@test "row-03-warn-changes-nothing" { decides row-03-warn-changes-nothing; }
@test "row-04-denials-as-warnings" { decides row-04-denials-as-warnings; }
@test "row-05-words-of-a-repair" { decides row-05-words-of-a-repair; }
@test "row-06-many-odd-headers" { decides row-06-many-odd-headers; }
@test "row-07a-bearer-on-saas" { decides row-07a-bearer-on-saas; }
@test "row-07b-bearer-and-a-declared-endpoint" { decides row-07b-bearer-and-a-declared-endpoint; }
@test "row-07c-bearer-with-the-declared-token" { decides row-07c-bearer-with-the-declared-token; }
@test "row-08-guide-of-2023" { decides row-08-guide-of-2023; }
@test "row-09-tls-insecure" { decides row-09-tls-insecure; }
@test "row-10-collector-without-a-scheme" { decides row-10-collector-without-a-scheme; }
@test "row-11-collector-with-a-path" { decides row-11-collector-with-a-path; }
@test "row-12-header-without-a-value" { decides row-12-header-without-a-value; }
@test "row-13-another-key" { decides row-13-another-key; }
@test "row-14a-token-as-endpoint" { decides row-14a-token-as-endpoint; }
@test "row-14b-url-as-token" { decides row-14b-url-as-token; }
@test "row-15-runtime-gauges" { decides row-15-runtime-gauges; }
@test "row-16-deletion-mark-of-the-user" { decides row-16-deletion-mark-of-the-user; }
@test "row-17-two-authorization-headers" { decides row-17-two-authorization-headers; }
@test "row-18-basic-beside-a-header" { decides row-18-basic-beside-a-header; }
@test "row-19-oauth2-secret-in-clear-text" { decides row-19-oauth2-secret-in-clear-text; }
@test "row-20-double-slash" { decides row-20-double-slash; }
@test "row-21a-leading-blank" { decides row-21a-leading-blank; }
@test "row-21b-newline" { decides row-21b-newline; }
@test "row-21c-grpc-scheme" { decides row-21c-grpc-scheme; }
@test "row-21d-two-schemes" { decides row-21d-two-schemes; }
@test "row-22-user-part" { decides row-22-user-part; }
@test "row-23-empty-authority" { decides row-23-empty-authority; }
@test "row-24a-second-colon" { decides row-24a-second-colon; }
@test "row-24b-second-colon" { decides row-24b-second-colon; }
@test "row-24c-brackets" { decides row-24c-brackets; }
@test "row-26a-an-input-fewer" { decides row-26a-an-input-fewer; }
@test "row-26b-an-input-more" { decides row-26b-an-input-more; }
@test "row-27-encoded-path" { decides row-27-encoded-path; }
# end of cases

@test "refuses an unknown setting, and names the nearest" {
  refuses_settings '{"mod": "repair"}' 'did you mean `mode`?'
}

@test "refuses an unknown rule" {
  refuses_settings '{"rules": {"ui-hosts": "off"}}' 'did you mean `ui-host`?'
}

@test "refuses every wrong setting at once" {
  refuses_settings '{"mode": 3, "metrics": {"deltaConversion": "on"}}' '`metrics.deltaConversion` is `on`'
}

@test "does not echo settings" {
  printf '{"mode": ["hunter2"]}' > "$BATS_TEST_TMPDIR/settings.json"
  ask target/e2e/01-traces-direct/request.json "$BATS_TEST_TMPDIR/settings.json"
  [ "$status" -eq 1 ]
  [[ "$output$stderr" != *hunter2* ]]
}

@test "inspect shows the metadata" {
  # shellcheck disable=SC2086
  run --separate-stderr $KWCTL inspect -o yaml "$POLICY"
  [ "$status" -eq 0 ]
  [[ "$output" == *"protocolVersion: v1"* ]]
  [[ "$output" == *"mutating: true"* ]]
  [[ "$output" == *"io.kubewarden.policy.title: kyma-dynatrace-policy"* ]]
  [[ "$output" == *"metricpipelines"* ]]
}

looks_up() { # a recording, what the answer holds; further arguments go to kwctl
  local recording=$1 expected=$2
  shift 2
  printf '{"lookUpSecrets": true}' > "$BATS_TEST_TMPDIR/settings.json"
  # shellcheck disable=SC2086
  run --separate-stderr $KWCTL run "$@" --replay-host-capabilities-interactions "e2e/recordings/$recording.yaml" \
    --request-path target/e2e/01-traces-direct/request.json --settings-path "$BATS_TEST_TMPDIR/settings.json" "$POLICY"
  [ "$status" -eq 0 ]
  [[ "$output" == *'"allowed":true'* ]]
  [[ "$output" == *"$expected"* ]]
  # The host logs what it was told; the policy passes nothing on.
  [[ "$output" != *geheim* ]]
}

replays() { # a recording, what the answer holds
  looks_up "$1" "$2" --allow-context-aware
  [[ "$stderr" != *"have not been replayed"* ]]
}

@test "looks at a Secret that is in order, and says nothing" {
  replays in-order '"destination":"direct-secret"'
  [[ "$output" != *'"warnings":['* ]]
}
@test "warns of a missing Secret" { replays missing-secret 'names a missing Secret, expected `dynatrace/dynakube` to exist'; }
@test "warns of a missing key" { replays missing-key 'names a missing key, expected `apiurl` in `dynatrace/dynakube`'; }
@test "warns of a wrong URL" { replays wrong-url 'expected the API'; }
@test "warns of a wrong token" { replays wrong-token 'leads to a token with blanks or newlines'; }
@test "tells the operator of a missing right" { replays forbidden 'expected a Role to get the Secret `dynatrace/dynakube`'; }
@test "counts an API server that does not answer as no lookup" {
  replays no-answer '"lookups-failed":"dynatrace/dynakube"'
  [[ "$output" != *'"warnings":['* ]]
}
@test "is refused without contextAwareResources" {
  looks_up in-order 'contextAwareResources'
  [[ "$stderr" == *"have not been replayed"* ]]
}
@test "is refused without the host capability" {
  looks_up in-order 'the host capability `kubernetes/get_resource`' --allow-context-aware --allowed-host-capabilities 'oci/*'
}
@test "asks nobody unless it is told to" {
  printf '{}' > "$BATS_TEST_TMPDIR/settings.json"
  # shellcheck disable=SC2086
  run --separate-stderr $KWCTL run --allow-context-aware --replay-host-capabilities-interactions e2e/recordings/wrong-url.yaml \
    --request-path target/e2e/01-traces-direct/request.json --settings-path "$BATS_TEST_TMPDIR/settings.json" "$POLICY"
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"have not been replayed"* ]]
}
