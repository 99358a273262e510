/// Objects with every field that the API server may write, as `kubectl get -o yaml` prints them.
enum Exports {
  static let everything = """
    apiVersion: v1
    kind: List
    metadata: {resourceVersion: ""}
    items:
    - apiVersion: v1
      kind: Service
      metadata:
        annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}
        creationTimestamp: "2026-01-01T00:00:00Z"
        finalizers: [service.kubernetes.io/load-balancer-cleanup]
        generation: 1
        managedFields: [{manager: kubectl, operation: Update}]
        name: web
        namespace: default
        ownerReferences: []
        resourceVersion: "12"
        selfLink: /x
        uid: abc
      spec:
        allocateLoadBalancerNodePorts: true
        clusterIP: 10.96.0.7
        clusterIPs: [10.96.0.7]
        externalIPs: [1.2.3.4]
        externalTrafficPolicy: Local
        healthCheckNodePort: 32000
        internalTrafficPolicy: Cluster
        ipFamilies: [IPv4]
        ipFamilyPolicy: SingleStack
        loadBalancerSourceRanges: [10.0.0.0/8, "fd00::/8"]
        ports: [{appProtocol: http, name: http, nodePort: 31231, port: 80, protocol: TCP, targetPort: http}]
        publishNotReadyAddresses: false
        selector: {app: web}
        sessionAffinity: ClientIP
        sessionAffinityConfig: {clientIP: {timeoutSeconds: 600}}
        trafficDistribution: PreferClose
        type: LoadBalancer
      status:
        conditions: []
        loadBalancer: {ingress: [{ip: 10.101.0.50, ipMode: Proxy, ports: [{port: 80, protocol: TCP}]}]}
    - apiVersion: v1
      kind: Pod
      metadata: {name: web-1, generateName: web-, deletionTimestamp: null, deletionGracePeriodSeconds: 30}
      spec:
        containers:
        - image: nginx
          imagePullPolicy: Always
          name: web
          ports: [{containerPort: 8080, hostIP: 0.0.0.0, hostPort: 80, name: http, protocol: TCP}]
          resources: {limits: {cpu: 100m, memory: 1Gi}}
          readinessProbe: {httpGet: {path: /, port: http}}
          volumeMounts: []
        dnsPolicy: ClusterFirst
        enableServiceLinks: true
        nodeName: node-1
        preemptionPolicy: PreemptLowerPriority
        priority: 0
        restartPolicy: Always
        tolerations: []
        volumes: []
      status:
        conditions:
        - {lastProbeTime: null, lastTransitionTime: "2026-01-01T00:00:00Z", status: "True", type: Ready}
        containerStatuses: [{anything: goes}]
        hostIP: 192.168.118.10
        hostIPs: [{ip: 192.168.118.10}]
        phase: Running
        podIP: 10.244.0.5
        podIPs: [{ip: 10.244.0.5}, {ip: "fd00::5"}]
        qosClass: BestEffort
        startTime: "2026-01-01T00:00:00Z"
    - addressType: IPv4
      apiVersion: discovery.k8s.io/v1
      endpoints:
      - addresses: [10.244.0.5]
        conditions: {ready: true, serving: true, terminating: false}
        hints: {forZones: [{name: a}], forNodes: [{name: node-1}]}
        hostname: web-1
        nodeName: node-1
        targetRef: {apiVersion: v1, fieldPath: x, kind: Pod, name: web-1, namespace: default, resourceVersion: "1", uid: u}
        zone: a
      kind: EndpointSlice
      metadata: {name: web-abcde, labels: {kubernetes.io/service-name: web}}
      ports: [{appProtocol: http, name: http, port: 8080, protocol: TCP}]
    - apiVersion: v1
      kind: Endpoints
      metadata: {name: web}
      subsets:
      - addresses: [{hostname: web-1, ip: 10.244.0.5, nodeName: node-1, targetRef: {kind: Pod, name: web-1}}]
        notReadyAddresses: [{ip: 10.244.0.6}]
        ports: [{appProtocol: http, name: http, port: 8080, protocol: TCP}]
    - apiVersion: v1
      kind: Node
      metadata: {name: node-1, labels: {topology.kubernetes.io/zone: a}}
      spec: {podCIDR: 10.244.0.0/24, podCIDRs: [10.244.0.0/24], providerID: x, taints: [], unschedulable: true}
      status:
        addresses: [{address: 192.168.118.10, type: InternalIP}, {address: node-1, type: Hostname}]
        allocatable: {cpu: "4"}
        capacity: {cpu: "4"}
        conditions: [{lastHeartbeatTime: x, lastTransitionTime: x, message: m, reason: KubeletReady, status: "True", type: Ready}]
        daemonEndpoints: {}
        images: []
        nodeInfo: {}
    - apiVersion: v1
      kind: Namespace
      metadata: {name: default, labels: {team: a}}
      spec: {finalizers: [kubernetes]}
      status: {phase: Active}
    - apiVersion: metallb.io/v1beta1
      kind: IPAddressPool
      metadata: {name: lab, namespace: metallb-system}
      spec:
        addresses: [10.101.0.50-10.101.0.60, "fd00:101::/120"]
        autoAssign: true
        avoidBuggyIPs: false
        serviceAllocation:
          priority: 50
          namespaces: [shop]
          namespaceSelectors: [{matchLabels: {team: a}}]
          serviceSelectors: [{matchExpressions: [{key: app, operator: In, values: [web]}]}]
      status: {assignedIPv4: 1}
    - apiVersion: metallb.io/v1beta1
      kind: L2Advertisement
      metadata: {name: lab, namespace: metallb-system}
      spec:
        interfaces: [eth0]
        ipAddressPoolSelectors: [{matchLabels: {x: a}}]
        ipAddressPools: [lab]
        nodeSelectors: [{matchLabels: {x: a}}]
        preferredNodeSelectors: [{weight: 1, preference: {}}]
        serviceSelectors: []
    """
}
