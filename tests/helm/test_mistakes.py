"""The checks find mistakes: each is planted in a copy of the chart, and must be found."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helm.checks import CHECKS
from tests.helm.rendering import CHART, RenderError, objects, rendered

pytestmark = pytest.mark.unit


@dataclass(kw_only=True, frozen=True, slots=True)
class Mistake:
    """A mistake in a template.

    Attributes:
        check: The check that must find it.
        file: The template.
        right: What it says.
        wrong: What it says with the mistake.
        profile: The values that show it.
        says: A part of what the check must say.
    """

    check: str
    file: str
    right: str
    wrong: str
    says: str
    profile: str = "cpu-only"


MISTAKES = {
    "a field of Kubernetes is misspelled": Mistake(
        check="schema",
        file="deployments.yaml",
        right="terminationGracePeriodSeconds:",
        wrong="terminationGracePeriod:",
        says="terminationGracePeriod",
    ),
    "a field of a CRD is misspelled": Mistake(
        check="schema",
        file="scaling.yaml",
        right="minReplicaCount:",
        wrong="minReplicas:",
        profile="pools",
        says="minReplicas",
    ),
    "a value has the wrong type": Mistake(
        check="schema",
        file="jobs.yaml",
        right="backoffLimit: 6",
        wrong='backoffLimit: "6"',
        says="integer",
    ),
    "a kind has no schema": Mistake(
        check="schema",
        file="serviceaccount.yaml",
        right="apiVersion: v1",
        wrong="apiVersion: v2",
        says="find schema for kind ServiceAccount",
    ),
    "a pod with a GPU has an image without CUDA": Mistake(
        check="images",
        file="deployments.yaml",
        right='"image" $c.image)',
        wrong='"image" dict)',
        profile="shared-gpu",
        says="and its image is registry.example.com/speech/maie-asr:",
    ),
    "a selector selects nothing": Mistake(
        check="selectors",
        file="pdbs.yaml",
        right='include "maie.selector" $labels | nindent 6',
        wrong='include "maie.labels" $labels | nindent 6',
        says="selects no pod",
    ),
    "a Deployment selects pods of others": Mistake(
        check="selectors",
        file="deployments.yaml",
        right='  selector:\n    matchLabels:\n      {{- include "maie.selector" $labels',
        wrong='  selector:\n    matchLabels:\n      {{- include "maie.selector" (dict "root" $)',
        says="its selector selects pods of",
    ),
    "a Service has a port that no pod has": Mistake(
        check="ports",
        file="services.yaml",
        right="targetPort: {{ $c.portName }}",
        wrong="targetPort: rpc",
        says="rpc is no port",
    ),
    "metrics are scraped at a port that is not there": Mistake(
        check="ports",
        file="monitoring.yaml",
        right="port: metrics",
        wrong="port: prometheus",
        profile="pools",
        says="no pod has the ports",
    ),
    "a file is mounted elsewhere than a setting says": Mistake(
        check="volumes",
        file="_pod.tpl",
        right="path: /etc/maie/nkey}",
        wrong="path: /etc/maie/seed}",
        says="nothing is mounted",
    ),
    "a variable is no setting": Mistake(
        check="settings",
        file="_components.tpl",
        right="MAIE_METRICS_LISTEN:",
        wrong="MAIE_METRIC_LISTEN:",
        says="MAIE_METRIC_LISTEN is no setting",
    ),
    "a variable is a setting of another stage": Mistake(
        check="settings",
        file="_components.tpl",
        right='{{- else if eq $c.stage "asr" }}',
        wrong='{{- else if eq $c.stage "summary" }}',
        says="MAIE_ASR_LIVE_TRACKS is no setting of summary",
    ),
    "a required setting is missing": Mistake(
        check="settings",
        file="_components.tpl",
        right='MAIE_ASR_LIVE_TRACKS: "0"',
        wrong="",
        says="MAIE_ASR_RPC=off leaves no port",
    ),
    "a port is open without TLS": Mistake(
        check="settings",
        file="_components.tpl",
        right='{{- if and $c.tls (ne $c.stage "web") }}\nMAIE_TLS_CERT_FILE',
        wrong="{{- if not $c.tls }}\nMAIE_TLS_CERT_FILE",
        says="there is no TLS",
    ),
    "gateways are not told where a stage is": Mistake(
        check="settings",
        file="_components.tpl",
        right="{{ $stage }}_ADVERTISE: $(POD_IP):{{ $c.port }}",
        wrong="{{ $stage }}_SLOTS: 1",
        profile="live-heavy",
        says="at which address",
    ),
    "parts share a credential of NATS": Mistake(
        check="credentials",
        file="_pod.tpl",
        right="{{ .nkeys.secretPrefix }}-{{ $.part }}",
        wrong="{{ .nkeys.secretPrefix }}-gateway",
        says="has the seed of",
    ),
    "everybody may read a seed": Mistake(
        check="credentials",
        file="_pod.tpl",
        right="defaultMode: 0440",
        wrong="defaultMode: 0444",
        says="every user",
    ),
    "nobody makes a Secret": Mistake(
        check="credentials",
        file="../values/pools.yaml",
        right="    maie-nkey-summary:",
        wrong="    maie-nkey-summaries:",
        profile="pools",
        says="nobody makes the Secret maie-nkey-summary",
    ),
    "a pod is killed before it could finish": Mistake(
        check="ends",
        file="deployments.yaml",
        right="{{ add $c.shutdownGraceSeconds $c.preStopSeconds 15 }}",
        wrong="30",
        says="is killed before",
    ),
    "a part that waits for NATS is restarted": Mistake(
        check="ends",
        file="deployments.yaml",
        right='"failures" 4 "alive" true',
        wrong='"failures" 4',
        says="asks the wrong question",
    ),
    "an image of another part runs": Mistake(
        check="commands",
        file="deployments.yaml",
        right='"part" $c.stage "image"',
        wrong='"part" $name "image"',
        profile="pools",
        says="runs registry.example.com/speech/maie-asr-large",
    ),
    "a Job runs a command that is not there": Mistake(
        check="commands",
        file="jobs.yaml",
        right="args: [provision, --update,",
        wrong="args: [provision, --upgrade,",
        says="No such option",
    ),
    "a container keeps its capabilities": Mistake(
        check="security",
        file="_pod.tpl",
        right="capabilities:\n  drop: [ALL]",
        wrong="capabilities:\n  drop: [NET_RAW]",
        says="has capabilities",
    ),
    "pods have a token of the API server": Mistake(
        check="security",
        file="_pod.tpl",
        right="automountServiceAccountToken: false",
        wrong="automountServiceAccountToken: true",
        says="has a token",
    ),
    "the number of pods is set back at each upgrade": Mistake(
        check="scalers",
        file="deployments.yaml",
        right='{{- if eq $c.scaling.kind "none" }}',
        wrong='{{- if ne $c.scaling.kind "hpa" }}',
        profile="pools",
        says="sets replicas back",
    ),
    "a scaler asks for a consumer that is not there": Mistake(
        check="scalers",
        file="scaling.yaml",
        right="consumer: {{ $c.stage }}-{{ $lane }}",
        wrong="consumer: {{ $c.stage }}_{{ $lane }}",
        profile="pools",
        says="the consumers of enhancement are not",
    ),
    "a scaler does not know the slots": Mistake(
        check="scalers",
        file="_components.tpl",
        right="MAIE_%s_SLOTS",
        wrong="MAIE_%s_SLOT",
        profile="pools",
        says="a pod has 4 slots, and not 1",
    ),
    "no answer counts as no work": Mistake(
        check="scalers",
        file="scaling.yaml",
        right='ignoreNullValues: "false"',
        wrong='ignoreNullValues: "true"',
        profile="pools",
        says="no answer",
    ),
    "a query names no metric": Mistake(
        check="queries",
        file="scaling.yaml",
        right="maie_demand_units",
        wrong="maie_demand_unit",
        profile="pools",
        says="no metric maie_demand_unit",
    ),
    "a query names a label that the metric lacks": Mistake(
        check="queries",
        file="scaling.yaml",
        right="maie_live_sessions{pool=",
        wrong="maie_live_sessions{stage=",
        profile="live-heavy",
        says="has no labels {'stage'}",
    ),
    "a query does not parse": Mistake(
        check="queries",
        file="scaling.yaml",
        right="sum(maie_%s_live_tracks",
        wrong="sum((maie_%s_live_tracks",
        profile="live-heavy",
        says="ScaledObject speech-maie-asr-live",
    ),
    "a part may not reach NATS": Mistake(
        check="paths",
        file="networkpolicies.yaml",
        right="  ports:\n    - {protocol: TCP, port: nats}\n{{- end }}",
        wrong="  ports:\n    - {protocol: TCP, port: cluster}\n{{- end }}",
        says="cannot reach",
    ),
    "everybody may call a stage": Mistake(
        check="paths",
        file="networkpolicies.yaml",
        right='(include "maie.podsOf" (dict "root" $ "stage" "gateway") | fromYamlArray)',
        wrong='(list (dict "podSelector" (dict)))',
        profile="live-heavy",
        says="an outsider can reach",
    ),
    "the web part may reach NATS": Mistake(
        check="paths",
        file="networkpolicies.yaml",
        right='{{- if ne $c.stage "web" }}\n        - podSelector',
        wrong='{{- if ne $c.stage "asr" }}\n        - podSelector',
        says="Deployment speech-maie-web can reach StatefulSet maie-nats",
    ),
    "the web part may not reach gateways": Mistake(
        check="paths",
        file="networkpolicies.yaml",
        right='"stage" "web") | fromYamlArray',
        wrong='"stage" "summary") | fromYamlArray',
        says="Deployment speech-maie-web cannot reach Deployment speech-maie-gateway",
    ),
    "the web part serves without TLS": Mistake(
        check="settings",
        file="_components.tpl",
        right="MAIE_WEB_TLS_CERT_FILE: /etc/maie/tls/tls.crt\n",
        wrong="",
        says="there is no TLS",
    ),
    "logins are sealed with a key that is not mounted": Mistake(
        check="volumes",
        file="_pod.tpl",
        right="path: /etc/maie/session-key}",
        wrong="path: /etc/maie/session}",
        says="nothing is mounted",
    ),
    "a certificate does not say whose it is": Mistake(
        check="certificates",
        file="certificates.yaml",
        right="spiffe://maie/{{ $stage }}",
        wrong="spiffe://maie/gateway",
        profile="live-heavy",
        says="does not say that it is of asr",
    ),
    "the certificate of NATS lacks a server": Mistake(
        check="certificates",
        file="certificates.yaml",
        right="until ($nats.config.cluster.replicas | int)",
        wrong="until 2",
        profile="live-heavy",
        says="lacks",
    ),
    "a proxy ends streams after 15 s": Mistake(
        check="routes",
        file="traffic.yaml",
        right="requestTimeout: {{ $t.gatewayApi.envoyGateway.requestTimeout }}",
        wrong="connectionIdleTimeout: 1h",
        profile="pools",
        says="ends a stream",
    ),
    "a route leads nowhere": Mistake(
        check="routes",
        file="traffic.yaml",
        right="        - name: {{ $name }}\n          port: {{ .port }}",
        wrong="        - name: {{ $name }}\n          port: 443",
        profile="pools",
        says="has no port 443",
    ),
    "a name is too long": Mistake(
        check="names",
        file="pdbs.yaml",
        right="name: {{ include",
        wrong='name: {{ repeat 60 "x" }}{{ include',
        says="is no name",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_template_is_found(name: str, tmp_path: Path) -> None:
    mistake = MISTAKES[name]
    copy = shutil.copytree(CHART, tmp_path / "maie")
    file = copy / "templates" / mistake.file
    text = file.read_text()
    assert mistake.right in text, "the template has changed: change this mistake as well"
    file.write_text(text.replace(mistake.right, mistake.wrong))
    said = list(CHECKS[mistake.check](objects(mistake.profile, chart=copy)))
    assert any(mistake.says in each for each in said), said


def test_each_check_finds_a_mistake() -> None:
    assert {mistake.check for mistake in MISTAKES.values()} == set(CHECKS)


# Values that helm refuses, with what it says.
REFUSED = {
    "tls.gatewy=mesh": "gatewy is not allowed",
    "components.asr.replica=2": "replica is not allowed",
    "components.asr.settings.MAIE_ASR_WISPER=x": "MAIE_ASR_WISPER is no setting of asr",
    "components.summary.settings.MAIE_ASR_SLOTS=2": "MAIE_ASR_SLOTS is no setting of summary",
    "settings.MAIE_LOG_LEVLE=debug": "MAIE_LOG_LEVLE is no setting",
    "components.asr.settings.MAIE_ASR_RPC=on": "sets MAIE_ASR_RPC itself",
    "settings.MAIE_NATS_URL=nats://elsewhere": "the chart sets MAIE_NATS_URL itself",
    'components.asr.scaling={"kind": "keda", "share": 0.5}': "add up to 0.5",
    'components.asr.scaling={"kind": "hpa", "minReplicas": 5}': "is more than maxReplicas",
    "components.gateway.scaling.kind=keda,components.gateway.scaling.minReplicas=0": "may go to 0",
    "components.gateway.scaling.kind=keda": "does not fit",
    "models.source=none": "models.source is none",
    "models.source=image": "models.image",
    "models.source=image,models.image=registry.example.com/models:1": "models.image",
    "nats.enabled=false": "broker.url",
    "broker.url=nats://elsewhere:4222": "broker.url",
    "broker.tls.enabled=false": "must be as nats.config.nats.tls.enabled",
    "broker.nkeys.enabled=false": "lets in nkeys alone",
    "objects.url=s3://user:word@bucket": "objects.url",
    "tls.gateway=own": "traffic.hostnames",
    "traffic.kind=ingress": "traffic.hostnames",
    'traffic={"kind": "ingress", "hostnames": ["a.example"]}': "or it cannot reach the gateways",
    'traffic={"kind": "ingress", "hostnames": ["a.example"]},components.gateway.enabled=false': (
        "components.gateway is not enabled"
    ),
    "image.registry=": "name where the images of maie are",
    "components.models.stage=asr": "components",
    "web.oidc.issuer=https://id.example.com": "web.hostnames",
    'web={"hostnames": ["a.example"], "oidc": {"issuer": "https://id.example", "clientId": "m"}}': (
        "set MAIE_JWT_ISSUER of components.gateway.settings"
    ),
    "components.gateway.enabled=false": "components.web: components.gateway is not enabled",
    "components.web.scaling.kind=keda": "does not fit",
    "tls.web=own": "tls.web",
}


@pytest.mark.parametrize("values", REFUSED)
def test_wrong_values_are_refused_with_a_reason(values: str) -> None:
    with pytest.raises(RenderError) as refused:
        rendered("cpu-only", "--set-json" if "{" in values else "--set", values)
    assert REFUSED[values] in str(refused.value)
