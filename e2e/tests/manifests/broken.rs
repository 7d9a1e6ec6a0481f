//! Copies with one thing broken, each of which has to be found, in the file and at the field.

use crate::problem::{self, Problem};
use crate::{Definitions, check_objects, monaco, pages, terraform, values};
use e2e::tree::{Target, Tree};

/// What is broken, and where it has to be found.
struct Break {
    name: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    /// The file and the field of the problem, and a part of its message.
    found: (&'static str, &'static str, &'static str),
}

const DIRECT: &str = "pipelines/metrics-application-delta/pipeline.yaml";
const RIGHTS: &str = "policy/look-up-secrets/parts/rights.yaml";
const EVENT: &str = "tenant/monaco/kyma/metric-event/module-not-ready.json";

const OBJECTS: [Break; 26] = [
    Break {
        name: "unknown-field",
        file: "pipelines/metrics-delta/pipeline.yaml",
        from: "temporality:",
        to: "temporallity:",
        found: ("pipelines/metrics-delta/pipeline.yaml", "spec.output.otlp.temporallity", "unknown field"),
    },
    Break {
        name: "unknown-core-field",
        file: "kyma-dashboard/extension.yaml",
        from: "metadata:",
        to: "metdata: {}\nmetadata:",
        found: ("kyma-dashboard/extension.yaml", "metdata", "unknown field"),
    },
    Break {
        name: "wrong-type",
        file: "policy/server/policy-server.yaml",
        from: "replicas: 2",
        to: "replicas: two",
        found: ("policy/server/policy-server.yaml", "spec.replicas", "not of type \"integer\""),
    },
    Break {
        name: "cel-rule",
        file: "pipelines/traces-direct/pipeline.yaml",
        from: "protocol: http",
        to: "protocol: grpc",
        found: ("pipelines/traces-direct/pipeline.yaml", "spec.output.otlp", "HTTP protocol"),
    },
    Break {
        name: "istio-on-direct",
        file: DIRECT,
        from: "spec:\n",
        to: "spec:\n  input: {istio: {enabled: true}}\n",
        found: (DIRECT, "spec.output.otlp", "drops cumulative"),
    },
    Break {
        name: "repaired",
        file: "pipelines/traces-direct/pipeline.yaml",
        from: "          prefix: Api-Token\n",
        to: "",
        found: ("pipelines/traces-direct/pipeline.yaml", "spec.output.otlp", "would be repaired"),
    },
    Break {
        name: "renamed-secret",
        file: "dynatrace/kustomization.yaml",
        from: "components:",
        to: "patches: [{target: {kind: Secret}, patch: '[{\"op\": \"replace\", \"path\": \"/metadata/name\", \"value\": \"renamed\"}]'}]\ncomponents:",
        found: (
            "pipelines/logs-direct/pipeline.yaml",
            "spec.output.otlp.endpoint.valueFrom.secretKeyRef",
            "there is no Secret `dynatrace/dynakube`",
        ),
    },
    Break {
        name: "wrong-order",
        file: "kyma-dashboard/extension.yaml",
        from: "namespace: \"unset\", name:",
        to: "name: \"unset\", namespace:",
        found: ("kyma-dashboard/extension.yaml", "data.dataSources.connection", "there is no Secret"),
    },
    Break {
        name: "placeholder",
        file: "environment/replacements/replacements.yaml",
        from: "[spec.settings.dynatrace.secrets.0.name]",
        to: "[spec.settings.dynatrace.secrets.0.tokenKey]",
        found: ("policy/repair/policy.yaml", "spec.settings.dynatrace.secrets[0].name", "was not filled in"),
    },
    Break {
        name: "settings",
        file: "policy/repair/policy.yaml",
        from: "injectPrefixFor:",
        to: "injectPrefix:",
        found: ("policy/repair/policy.yaml", "spec.settings", "injectPrefixFor"),
    },
    Break {
        name: "rules",
        file: "policy/validate/policy.yaml",
        from: "operations: [CREATE, UPDATE]",
        to: "operations: [CREATE]",
        found: ("policy/validate/policy.yaml", "spec.rules", "policy-metadata.yml"),
    },
    Break {
        name: "match-condition",
        file: "policy/validate/policy.yaml",
        from: "has(object.spec.output.otlp)",
        to: "has(object.spec.outputs)",
        found: ("policy/validate/policy.yaml", "spec.matchConditions[0].expression", "does not hold"),
    },
    Break {
        name: "selector",
        file: "dynatrace/cloud-native-full-stack/mode.yaml",
        from: "operator: NotIn",
        to: "operator: In",
        found: ("dynatrace/base/dynakube.yaml", "spec.oneAgent.cloudNativeFullStack.namespaceSelector", "not excluded"),
    },
    Break {
        name: "namespace",
        file: "dynatrace/base/kustomization.yaml",
        from: "resources:\n",
        to: "resources:\n  - ../../namespace\n",
        found: ("namespace/namespace.yaml", "kind", "deleting this overlay"),
    },
    Break {
        name: "role-too-wide",
        file: RIGHTS,
        from: "verbs: [get]",
        to: "verbs: [get, list]",
        found: (RIGHTS, "rules[0]", "grants more"),
    },
    Break {
        name: "role-for-all",
        file: RIGHTS,
        from: "resources: [secrets]\n",
        to: "resources: [configmaps]\n",
        found: (RIGHTS, "rules[0]", "grants more"),
    },
    Break {
        name: "role-for-another",
        file: "environment/replacements/replacements.yaml",
        from: "fieldPaths: [rules.0.resourceNames.0]",
        to: "fieldPaths: [metadata.labels.a]\n      options: {create: true}",
        found: (RIGHTS, "rules[0].resourceNames", "names a Secret that no policy declares"),
    },
    Break {
        name: "secret-without-a-role",
        file: "policy/validate/policy.yaml",
        from: "tokenKey: dataIngestToken}\n",
        to: "tokenKey: dataIngestToken}\n        - {namespace: team, name: tokens}\n",
        found: (
            "policy/validate/policy.yaml",
            "spec.settings.dynatrace.secrets",
            "no Role lets its policy server get the Secret `team/tokens`",
        ),
    },
    Break {
        name: "account-not-bound",
        file: RIGHTS,
        from: "  - kind: ServiceAccount\n    name: kyma-dynatrace\n",
        to: "  - kind: ServiceAccount\n    name: default\n",
        found: ("policy/validate/policy.yaml", "spec.settings.dynatrace.secrets", "no Role lets its policy server get"),
    },
    Break {
        name: "secrets-not-granted",
        file: "policy/look-up-secrets/parts/kustomization.yaml",
        from: "{apiVersion: v1, kind: Secret}",
        to: "{apiVersion: v1, kind: secret}",
        found: ("policy/validate/policy.yaml", "spec.contextAwareResources", "does not list v1 Secret"),
    },
    Break {
        name: "two-mesh-wide",
        file: "istio/namespace/telemetry.yaml",
        from: "namespace: unset",
        to: "namespace: istio-system",
        found: ("istio/mesh-wide/telemetry.yaml", "metadata.namespace", "one mesh-wide Telemetry"),
    },
    Break {
        name: "another-mesh-wide-name",
        file: "istio/mesh-wide/telemetry.yaml",
        from: "name: mesh-default",
        to: "name: tracing-default",
        found: ("istio/mesh-wide/telemetry.yaml", "metadata.name", "gets two"),
    },
    Break {
        name: "collector-without-a-user",
        file: "overlays/delta/kustomization.yaml",
        from: "components:\n",
        to: "components:\n  - ../../dynatrace/collector\n",
        found: ("dynatrace/base/dynakube.yaml", "spec.telemetryIngest", "no pipeline sends"),
    },
    Break {
        name: "old-repository",
        file: "environment/replacements/environment.yaml",
        from: "policyServerImage: ghcr.io/kubewarden/adm-controller/policy-server:",
        to: "policyServerImage: ghcr.io/kubewarden/policy-server:",
        found: ("policy/server/policy-server.yaml", "spec.image", "old repository"),
    },
    Break {
        name: "monitor-that-refuses",
        file: "policy/monitor/kustomization.yaml",
        from: "value: Ignore",
        to: "value: Fail",
        found: ("policy/repair/policy.yaml", "spec.mode", "refuses when no server is there"),
    },
    Break {
        name: "latest",
        file: "environment/replacements/environment.yaml",
        from: "collectorTag: 0.54.0",
        to: "collectorTag: latest",
        found: ("dynatrace/base/dynakube.yaml", "spec.templates.otelCollector.imageRef.tag", "pins nothing"),
    },
];

const TENANT: [Break; 15] = [
    Break {
        name: "threshold-type",
        file: EVENT,
        from: "\"threshold\": 1",
        to: "\"threshold\": \"1\"",
        found: (EVENT, "/modelProperties/threshold", "is not of type \"number\""),
    },
    Break {
        name: "never-fires",
        file: EVENT,
        from: "BELOW",
        to: "ABOVE",
        found: (EVENT, "/modelProperties", "can never fire"),
    },
    Break {
        name: "title",
        file: "tenant/monaco/kyma/metric-event/config.yaml",
        from: "name: Kyma Telemetry module",
        to: "name: Telemetry module",
        found: (EVENT, "/eventTemplate/title", "does not let"),
    },
    Break {
        name: "reference",
        file: "tenant/monaco/kyma-webhook/notification/config.yaml",
        from: "configId: kyma-telemetry",
        to: "configId: kyma",
        found: (
            "tenant/monaco/kyma-webhook/notification/config.yaml",
            "configs.kyma-telemetry-webhook.config.parameters.alertingProfile",
            "refers to no config",
        ),
    },
    Break {
        name: "lost-default",
        file: "tenant/monaco/kyma-attributes/otel-metrics/allow-list.json",
        from: "dt.entity.host_group",
        to: "dt.entity.group",
        found: ("tenant/monaco/kyma-attributes/otel-metrics/allow-list.json", "/additionalAttributes", ""),
    },
    Break {
        name: "hole",
        file: "tenant/monaco/kyma/notification/email.json",
        from: "{{ .recipient }}",
        to: "{{ .recipients }}",
        found: ("tenant/monaco/kyma/notification/email.json", "recipients", "no parameter"),
    },
    Break {
        name: "overlap",
        file: "tenant/monaco/kyma-document/dashboard.json",
        from: "\"x\": 6,",
        to: "\"x\": 5,",
        found: ("tenant/monaco/kyma-document/dashboard.json", "/layouts/2", "overlaps"),
    },
    Break {
        name: "silence",
        file: "tenant/monaco/kyma/metric-event/metrics-stopped.json",
        from: "\"alertOnNoData\": true",
        to: "\"alertOnNoData\": false",
        found: ("tenant/monaco/kyma/metric-event/config.yaml", "configs", "when the metrics stop"),
    },
    Break {
        name: "clusters-mixed",
        file: EVENT,
        from: "splitBy(\\\"k8s.cluster.name\\\",\\\"state\\\")",
        to: "splitBy(\\\"state\\\")",
        found: (EVENT, "/queryDefinition/metricSelector", "not split by cluster"),
    },
    Break {
        name: "secret-url-in-clear-text",
        file: "tenant/monaco/kyma-webhook-secret/notification/webhook.json",
        from: "\"secretUrl\"",
        to: "\"url\"",
        found: ("tenant/monaco/kyma-webhook-secret/notification/webhook.json", "", "is not valid under"),
    },
    Break {
        name: "never-deleted",
        file: "tenant/monaco/delete-platform.yaml",
        from: "id: kyma-telemetry",
        to: "id: kyma",
        found: ("tenant/monaco/kyma-document/config.yaml", "configs.kyma-telemetry", "never deleted"),
    },
    Break {
        name: "terraform-attributes",
        file: "tenant/terraform/main.tf",
        from: "    \"k8s.workload.kind\",\n",
        to: "",
        found: ("tenant/terraform/main.tf", "locals.added_attributes", "not what Monaco adds"),
    },
    Break {
        name: "terraform-oauth2",
        file: "tenant/terraform/main.tf",
        from: "      client_id        = var.alert_webhook_oauth2.client_id\n",
        to: "",
        found: (
            "tenant/terraform/main.tf",
            "dynatrace_webhook_notification.kyma_telemetry.oauth_2_credentials.client_id",
            "required",
        ),
    },
    Break {
        name: "terraform-reference",
        file: "tenant/terraform/main.tf",
        from: "profile                = dynatrace_alerting.kyma_telemetry.id",
        to: "profile                = dynatrace_alerting.kyma.id",
        found: ("tenant/terraform/main.tf", "dynatrace_webhook_notification.kyma_telemetry", "kyma"),
    },
    Break {
        name: "terraform-required",
        file: "tenant/terraform/main.tf",
        from: "    violating_samples  = 3\n",
        to: "",
        found: (
            "tenant/terraform/main.tf",
            "dynatrace_metric_events.module_not_ready.model_properties.violating_samples",
            "required",
        ),
    },
];

impl Break {
    fn expect(&self, problems: &[Problem]) {
        let (file, field, message) = self.found;
        let is_it =
            |problem: &Problem| problem.file == file && problem.field == field && problem.message.contains(message);
        assert!(problems.iter().any(is_it), "{}: not found in{}", self.name, problem::list(problems));
    }

    fn tree(&self) -> Tree {
        let tree = Tree::copy(&format!("broken-{}", self.name));
        tree.replace(self.file, self.from, self.to);
        tree
    }
}

/// Alone, or with all that the overlay offers: the policies offer one thing.
fn is_whole(target: &Target) -> bool {
    target.chosen() != 1 || target.name.ends_with(" + policy/look-up-secrets")
}

#[test]
fn every_break_of_an_object_is_found() {
    let Some(definitions) = Definitions::load() else { return };
    for broken in &OBJECTS {
        let tree = broken.tree();
        // The overlays alone, and with all that they offer: every object of every part is in one of them.
        let targets = tree.targets();
        let overlays: Vec<Target> =
            targets.into_iter().filter(|target| target.is_overlay && is_whole(target)).collect();
        assert_eq!(overlays.len(), 12, "six alone, six with everything");
        let (problems, _) = check_objects(&tree, &overlays, Some(&definitions));
        broken.expect(&problems);
    }
}

#[test]
fn every_break_of_the_tenant_is_found() {
    for broken in &TENANT {
        let tree = broken.tree();
        broken.expect(&[monaco::check(&tree), terraform::check(&tree)].concat());
    }
}

#[test]
fn a_repeated_value_and_a_lost_row_are_found() {
    let repeated = Break {
        name: "repeated",
        file: "dynatrace/collector/ingest/collector.yaml",
        from: "tag: unset",
        to: "tag: 0.54.0",
        found: (
            "dynatrace/collector/ingest/collector.yaml",
            "spec.templates.otelCollector.imageRef.tag",
            "repeats `collectorTag`",
        ),
    };
    repeated.expect(&values::check_repeated(&repeated.tree()));
    let lost = Break {
        name: "row",
        file: "README.md",
        from: "| Ingest Metrics |",
        to: "| Metrics |",
        found: ("README.md", "Ingest Metrics", "no row"),
    };
    lost.expect(&pages::check(&lost.tree()));
}
