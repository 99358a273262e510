"""The API server of the tests writes and refuses as kube-apiserver does; run against one, these tests hold, too."""

import kinds
import pytest
from client import Access, Client, Refused, now

SERVICE = {"metadata": {"name": "a"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}
CONFLICT = "the object has been modified; please apply your changes to the latest version and try again"


def refusal(call, *arguments, **more) -> dict:
    with pytest.raises(Refused) as refused:
        call(*arguments, **more)
    status = refused.value.status
    assert status["code"] == refused.value.code and status["kind"] == "Status" and status["status"] == "Failure"
    return {name: status.get(name) for name in ("code", "reason", "message", "details")}


def ingress(service: dict) -> list:
    return service["status"]["loadBalancer"].get("ingress", [])


def write_status(cluster, *entries: dict) -> dict:
    return cluster.client.patch(
        kinds.SERVICE, "a", {"status": {"loadBalancer": {"ingress": list(entries)}}}, "status")


def test_a_new_service_has_a_version_and_a_uid_and_its_defaults(cluster):
    made = cluster.create(kinds.SERVICE, {**SERVICE, "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}})
    assert made["kind"] == "Service" and made["metadata"]["uid"] and int(made["metadata"]["resourceVersion"]) > 0
    assert made["status"] == {"loadBalancer": {}}
    spec = made["spec"]
    (port,) = spec["ports"]
    assert (port["protocol"], port["targetPort"]) == ("TCP", 80) and 30000 <= port["nodePort"] < 32768
    assert spec["allocateLoadBalancerNodePorts"] is True and spec["externalTrafficPolicy"] == "Cluster"
    assert spec["ipFamilies"] == ["IPv4"] and spec["clusterIPs"] == [spec["clusterIP"]]
    assert cluster.client.get(kinds.SERVICE, "a") == made


def test_what_is_not_there_is_not_found(cluster):
    assert refusal(cluster.client.get, kinds.SERVICE, "none") == {
        "code": 404, "reason": "NotFound", "message": 'services "none" not found',
        "details": {"name": "none", "kind": "services"}}
    assert refusal(cluster.client.get, kinds.LEASE, "none")["message"] == (
        'leases.coordination.k8s.io "none" not found')
    assert refusal(cluster.client.request, "GET", "/api/v1/nothings")["message"] == (
        "the server could not find the requested resource")
    for path in ("/apis/metallb.io/v1beta1/nothings", "/apis/none.example/v1/ipaddresspools", "/none"):
        with pytest.raises(Refused) as refused:
            cluster.client.request("GET", path)
        assert (refused.value.code, refused.value.status) == (404, "404 page not found\n")


def test_a_name_is_given_once(cluster):
    cluster.create(kinds.SERVICE, SERVICE)
    assert refusal(cluster.create, kinds.SERVICE, SERVICE) == {
        "code": 409, "reason": "AlreadyExists", "message": 'services "a" already exists',
        "details": {"name": "a", "kind": "services"}}


def test_nothing_is_made_in_a_namespace_that_is_not_there(cluster):
    elsewhere = Client(cluster.access, "no-such-namespace")
    assert refusal(elsewhere.create, kinds.SERVICE, SERVICE)["message"] == 'namespaces "no-such-namespace" not found'


def test_status_is_written_on_its_own_path_and_all_else_on_the_other(cluster):
    cluster.create(kinds.SERVICE, SERVICE)
    written = cluster.client.patch(kinds.SERVICE, "a", {
        "metadata": {"annotations": {"x/y": "z"}}, "spec": {"ports": None},
        "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4", "ipMode": "Proxy"}]}}}, "status")
    assert written["metadata"]["annotations"] == {"x/y": "z"} and written["spec"]["ports"][0]["port"] == 80
    assert ingress(written) == [{"ip": "1.2.3.4", "ipMode": "Proxy"}]
    written = cluster.client.patch(kinds.SERVICE, "a", {
        "metadata": {"labels": {"l": "m"}}, "status": {"loadBalancer": {"ingress": [{"ip": "9.9.9.9"}]}}})
    assert written["metadata"]["labels"] == {"l": "m"} and ingress(written)[0]["ip"] == "1.2.3.4"


def test_an_ingress_without_ip_mode_gets_vip_and_one_that_is_wrong_is_refused(cluster):
    cluster.create(kinds.SERVICE, SERVICE)
    assert ingress(write_status(cluster, {"ip": "1.2.3.4"}, {"hostname": "h.example"})) == [
        {"ip": "1.2.3.4", "ipMode": "VIP"}, {"hostname": "h.example"}]
    ports = [{"port": 80, "protocol": "TCP", "error": "PortTaken"}]
    assert ingress(write_status(cluster, {"ip": "1.2.3.4", "ipMode": "Proxy", "ports": ports}))[0]["ports"] == ports
    assert refusal(write_status, cluster, {"ip": "1.2.3.4", "ipMode": "Bad"})["message"] == (
        'Service "a" is invalid: status.loadBalancer.ingress[0].ipMode: Unsupported value: "Bad": supported values: '
        '"Proxy", "VIP"')
    assert refusal(write_status, cluster, {"ip": "nowhere"}) == {
        "code": 422, "reason": "Invalid",
        "message": 'Service "a" is invalid: status.loadBalancer.ingress[0].ip: Invalid value: "nowhere": must be a '
        "valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        "details": {"name": "a", "kind": "Service", "causes": [{
            "reason": "FieldValueInvalid", "field": "status.loadBalancer.ingress[0].ip",
            "message": 'Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'}]}}


def test_a_service_that_is_no_load_balancer_any_more_loses_its_status_and_its_class(cluster):
    cluster.create(kinds.SERVICE, {**SERVICE, "spec": {**SERVICE["spec"], "loadBalancerClass": "example.com/x"}})
    write_status(cluster, {"ip": "1.2.3.4", "ipMode": "Proxy"})
    assert refusal(cluster.client.patch, kinds.SERVICE, "a", {"spec": {"loadBalancerClass": "example.com/y"}})[
        "message"].endswith('spec.loadBalancerClass: Invalid value: "example.com/y": may not change once set')
    changed = cluster.client.patch(kinds.SERVICE, "a", {"spec": {"type": "ClusterIP", "loadBalancerClass": None}})
    assert changed["status"] == {"loadBalancer": {}} and "loadBalancerClass" not in changed["spec"]
    assert "may only be used when `spec.type` is 'LoadBalancer'" in refusal(
        write_status, cluster, {"ip": "1.2.3.4"})["message"]


def test_a_write_with_an_old_version_is_a_conflict(cluster):
    old = cluster.create(kinds.SERVICE, SERVICE)
    new = cluster.client.patch(kinds.SERVICE, "a", {"metadata": {"labels": {"x": "1"}}})
    assert int(new["metadata"]["resourceVersion"]) > int(old["metadata"]["resourceVersion"])
    expected = {
        "code": 409, "reason": "Conflict", "details": {"name": "a", "kind": "services"},
        "message": f'Operation cannot be fulfilled on services "a": {CONFLICT}'}
    stale = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}}
    stale["status"] = {"conditions": []}
    assert refusal(cluster.client.patch, kinds.SERVICE, "a", stale, "status") == expected
    assert refusal(cluster.client.replace, kinds.SERVICE, "a", old) == expected
    assert refusal(cluster.client.replace, kinds.SERVICE, "a", old, "status") == expected
    new["metadata"]["labels"] = {"x": "2"}
    assert cluster.client.replace(kinds.SERVICE, "a", new)["metadata"]["labels"] == {"x": "2"}


def test_a_write_that_changes_nothing_keeps_the_version(cluster):
    cluster.create(kinds.SERVICE, SERVICE)
    first = write_status(cluster, {"ip": "1.2.3.4", "ipMode": "Proxy"})
    again = write_status(cluster, {"ip": "1.2.3.4", "ipMode": "Proxy"})
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_json_patch_is_all_or_nothing(cluster):
    cluster.create(kinds.SERVICE, {**SERVICE, "metadata": {"name": "a", "annotations": {"p/q": "r"}}})
    assert refusal(cluster.client.patch, kinds.SERVICE, "a", [
        {"op": "test", "path": "/metadata/annotations/p~1q", "value": "s"}])["code"] == 422
    changed = cluster.client.patch(kinds.SERVICE, "a", [{"op": "remove", "path": "/metadata/annotations/p~1q"}])
    assert "annotations" not in changed["metadata"] or changed["metadata"]["annotations"] == {}


def test_a_patch_of_another_type_is_not_read(cluster):
    cluster.create(kinds.SERVICE, SERVICE)
    path = kinds.SERVICE.path(cluster.namespace, "a")
    assert refusal(cluster.client.request, "PATCH", path, b"{}", content_type="text/plain")["code"] == 415


def test_what_is_no_object_of_the_kind_is_a_bad_request(cluster):
    path = kinds.SERVICE.path(cluster.namespace)
    assert refusal(cluster.client.request, "POST", path, b'{"kind": "Service", ')["reason"] == "BadRequest"
    assert refusal(cluster.client.create, kinds.SERVICE, {**SERVICE, "kind": "Lease"})["reason"] == "BadRequest"
    lease = {"metadata": {"name": "b"}}
    assert refusal(cluster.client.replace, kinds.LEASE, "a", lease)["message"] == (
        "the name of the object (b) does not match the name on the URL (a)")


def test_a_lease_is_taken_with_its_version_only(cluster):
    spec = {
        "holderIdentity": "x", "leaseDurationSeconds": 3, "acquireTime": now(), "renewTime": now(),
        "leaseTransitions": 1}
    made = cluster.create(kinds.LEASE, {"metadata": {"name": "r"}, "spec": spec})
    assert made["spec"] == spec
    taken = {**made, "spec": {**spec, "holderIdentity": "y"}}
    version = cluster.client.replace(kinds.LEASE, "r", taken)["metadata"]["resourceVersion"]
    assert refusal(cluster.client.replace, kinds.LEASE, "r", taken)["message"] == (
        f'Operation cannot be fulfilled on leases.coordination.k8s.io "r": {CONFLICT}')
    assert refusal(cluster.client.replace, kinds.LEASE, "r", {"metadata": {"name": "r"}, "spec": spec})["message"] == (
        'leases.coordination.k8s.io "r" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for '
        "an update")
    patched = cluster.client.patch(
        kinds.LEASE, "r", {"metadata": {"resourceVersion": version}, "spec": {"holderIdentity": "z"}})
    assert patched["spec"]["holderIdentity"] == "z"
    assert "must be greater than 0" in refusal(
        cluster.client.patch, kinds.LEASE, "r", {"spec": {"leaseDurationSeconds": 0}})["message"]


def test_an_event_is_in_the_namespace_of_what_it_is_about(cluster):
    event = {"metadata": {"generateName": "a."}, "reason": "X", "message": "m", "type": "Normal",
             "involvedObject": {"kind": "Service", "namespace": cluster.namespace, "name": "a"}}
    made = cluster.create(kinds.EVENT, event)
    assert made["metadata"]["name"].startswith("a.") and len(made["metadata"]["name"]) == len("a.12345")
    assert [one["reason"] for one in cluster.events("a")] == ["X"]
    event = {**event, "involvedObject": {"kind": "Service", "namespace": "elsewhere", "name": "a"}}
    assert "does not match event.namespace" in refusal(cluster.create, kinds.EVENT, event)["message"]


def test_metallbs_kinds_are_kinds_like_others(cluster):
    made = cluster.create(kinds.POOL, {
        "metadata": {"name": "p"}, "spec": {"addresses": ["10.0.0.1-10.0.0.2"]}, "status": {"x": 1}})
    assert made["metadata"]["generation"] == 1 and "status" not in made
    changed = cluster.client.patch(kinds.POOL, "p", {"spec": {"autoAssign": False}})
    assert changed["metadata"]["generation"] == 2 and changed["spec"]["autoAssign"] is False
    changed = cluster.client.patch(kinds.POOL, "p", {"metadata": {"labels": {"x": "y"}}})
    assert changed["metadata"]["generation"] == 2
    listed = cluster.client.list(kinds.POOL)
    assert listed["kind"] == "IPAddressPoolList"
    assert [(item["kind"], item["apiVersion"]) for item in listed["items"]] == [
        ("IPAddressPool", "metallb.io/v1beta1")]
    assert refusal(cluster.client.replace, kinds.POOL, "new", {
        "metadata": {"name": "new"}, "spec": {"addresses": []}})["code"] == 404


def test_deletion_answers_with_what_was_there(cluster):
    service = cluster.create(kinds.SERVICE, SERVICE)
    wrong = {"uid": "another"}
    assert "precondition" in refusal(cluster.client.delete, kinds.SERVICE, "a", wrong)["message"].lower()
    gone = cluster.client.delete(kinds.SERVICE, "a")
    assert gone["kind"] == "Service" and gone["metadata"]["uid"] == service["metadata"]["uid"]
    cluster.create(kinds.POOL, {"metadata": {"name": "p"}, "spec": {"addresses": []}})
    gone = cluster.client.delete(kinds.POOL, "p")
    assert (gone["kind"], gone["status"], gone["details"]["name"]) == ("Status", "Success", "p")
    assert refusal(cluster.client.delete, kinds.POOL, "p")["code"] == 404


def test_finalizers_hold_a_service_that_is_deleted(cluster):
    cluster.create(kinds.SERVICE, {**SERVICE, "metadata": {"name": "a", "finalizers": ["example.com/hold"]}})
    cluster.client.delete(kinds.SERVICE, "a")
    assert cluster.client.get(kinds.SERVICE, "a")["metadata"]["deletionTimestamp"]
    cluster.client.patch(kinds.SERVICE, "a", {"metadata": {"finalizers": None}})
    assert refusal(cluster.client.get, kinds.SERVICE, "a")["code"] == 404


def test_who_is_unknown_is_unauthorized_and_who_says_nothing_may_nothing(cluster):
    def as_(**credentials) -> dict:
        client = Client(Access(cluster.access.url, cluster.access.authority, **credentials), cluster.namespace)
        return refusal(client.list, kinds.SERVICE, everywhere=True)
    assert as_(token="wrong") == {
        "code": 401, "reason": "Unauthorized", "message": "Unauthorized", "details": None}
    assert as_() == {
        "code": 403, "reason": "Forbidden", "details": {"kind": "services"},
        "message": 'services is forbidden: User "system:anonymous" cannot list resource "services" in API group "" at '
        "the cluster scope"}
