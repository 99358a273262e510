"""The kinds of objects that the API server of the tests knows, and where in its paths they are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind as `kubectl api-resources` shows it; `group` is empty for the core."""

    group: str
    version: str
    plural: str
    name: str
    is_namespaced: bool = True
    has_status: bool = False
    # Whether an update without a resourceVersion is taken as "whatever is there".
    updates_blindly: bool = True
    # Whether PUT of a name that is not there creates it.
    creates_on_update: bool = False
    # Whether each change of more than metadata and status counts up metadata.generation.
    has_generation: bool = False
    # Whether DELETE answers with the object, and not with a Status.
    returns_deleted: bool = False
    # From a CustomResourceDefinition: such a list's items name kind and version, and all can be switched off.
    is_custom: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """As messages name it: `leases.coordination.k8s.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_name(self) -> str:
        """As messages about invalid objects name it: `Lease.coordination.k8s.io`."""
        return f"{self.name}.{self.group}" if self.group else self.name

    @property
    def root(self) -> str:
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """Where one object is, all of a namespace, or all."""
        scope = f"/namespaces/{namespace}" if namespace and self.is_namespaced else ""
        return self.root + scope + f"/{self.plural}" + (f"/{name}" if name else "") + (
            f"/{subresource}" if subresource else "")


SERVICE = Kind("", "v1", "services", "Service", has_status=True, returns_deleted=True)
POD = Kind("", "v1", "pods", "Pod", has_status=True, has_generation=True, returns_deleted=True)
NODE = Kind("", "v1", "nodes", "Node", is_namespaced=False, has_status=True)
NAMESPACE = Kind("", "v1", "namespaces", "Namespace", is_namespaced=False, has_status=True, returns_deleted=True)
ENDPOINTS = Kind("", "v1", "endpoints", "Endpoints")
EVENT = Kind("", "v1", "events", "Event", creates_on_update=True)
SLICE = Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", has_generation=True)
LEASE = Kind("coordination.k8s.io", "v1", "leases", "Lease", updates_blindly=False, creates_on_update=True)


def _custom(plural: str, name: str, version: str = "v1beta1") -> Kind:
    return Kind(
        "metallb.io", version, plural, name, has_status=True, updates_blindly=False, has_generation=True,
        is_custom=True)


POOL = _custom("ipaddresspools", "IPAddressPool")
ADVERTISEMENT = _custom("l2advertisements", "L2Advertisement")

KINDS = (SERVICE, POD, NODE, NAMESPACE, ENDPOINTS, EVENT, SLICE, LEASE, POOL, ADVERTISEMENT)
BY_NAME = {kind.name: kind for kind in KINDS}


def kind_of(group: str, version: str, plural: str) -> Kind | None:
    return next((kind for kind in KINDS if (kind.group, kind.version, kind.plural) == (group, version, plural)), None)
