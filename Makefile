# omnicache: everything that a person does with this repository, one target each.
#
#   make sample    install what is missing, build, and draw from each embedded model
#   make test      run every test
#
# Variables: STEPS (sample's steps), SAMPLES (its output folder), PREFIX (install's destination), PEERS (bench-peers'
# options), FUZZ_SECONDS and FUZZ_SEED (fuzz), PAIRS, SEED and ROBUSTNESS (robustness: pairs a row, the first seed, other
# options), SCORE (score's options).

STEPS   ?= 50
SAMPLES ?= samples
PREFIX  ?= /usr/local
FUZZ_SECONDS ?= 120
FUZZ_SEED ?= 1
PAIRS ?= 128
SEED ?= 2000001

PACKAGES := libopenblas-dev liblapacke-dev libdnnl-dev zlib1g-dev libssl-dev
LINT_PACKAGES := shellcheck
RELEASE_PACKAGES := debootstrap binutils
BATCH_PACKAGES := slurm-wlm munge parallel
SCENES_PACKAGES := fonts-noto-color-emoji unicode-data unicode-cldr-core sentencepiece

# Swift compiles for SSE2 by default. These builds use the vector instructions of this machine;
# `make release` does not, so its binary runs on any x86-64.
PROCESSOR := $(shell grep -m 1 ^flags /proc/cpuinfo 2>/dev/null)
has = $(if $(filter-out $(PROCESSOR),$(1)),,yes)
LEVEL := $(if $(call has,avx512f avx512bw avx512cd avx512dq avx512vl),4,$(if $(call has,avx2 fma bmi2),3))
VECTORS := $(if $(LEVEL),-Xcc -march=x86-64-v$(LEVEL))
# Building and testing share these flags, so that neither rebuilds the other's work.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing $(VECTORS)
BINARY = $(shell swift build $(SWIFT_FLAGS) --show-bin-path)/omnicache

.PHONY: sample
# One image of each class, in one picture, some prompts in another, and clips in an animated one.
sample: build
	mkdir -p $(SAMPLES)
	$(BINARY) sample --class all --steps $(STEPS) --seed 1 --grid 11 --force --output $(SAMPLES)/sheet.png
	$(BINARY) sample --prompt-file Models/scenes-mmjit-s8/sheet.txt --steps $(STEPS) --seed 1 --grid 8 --force \
		--output $(SAMPLES)/prompts.png
	$(BINARY) sample --model Models/motion-latte-s8 --class all --steps $(STEPS) --seed 1 --grid 8 --force \
		--output $(SAMPLES)/clips.png

.PHONY: test
# In release mode: that is what people run, and without optimisation the kernels are a hundred times slower.
test: deps
	swift build $(SWIFT_FLAGS) --build-tests
	swift test $(SWIFT_FLAGS) --skip-build

.PHONY: build
build: deps
	swift build $(SWIFT_FLAGS) --product omnicache

.PHONY: fuzz
# Tries every reader with damaged files. The same FUZZ_SEED damages them in the same way; FUZZ_SEED=$$RANDOM tries others.
fuzz: build
	swift build $(SWIFT_FLAGS) --product fuzz-readers
	$(dir $(BINARY))fuzz-readers --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED)

.PHONY: sanitize
# The tests under the address and the thread sanitizer; builds everything twice more, and takes a quarter of an hour.
sanitize: deps
	Scripts/verify/sanitize.sh

.PHONY: binary
# Where the build puts the binary, for scripts.
binary:
	@echo $(BINARY)

.PHONY: deps
# The Debian packages, installed only where they are missing.
deps: ; @$(call install_missing,$(PACKAGES))

# $(1): packages. A fresh machine has no package lists yet, hence the update.
define install_missing
	missing=""; for package in $(1); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$sudo apt-get update && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y $$missing; \
	fi
endef

.PHONY: verify
# Compares the results with those of PyTorch and diffusers; needs Python 3.11, and downloads both from PyPI.
verify: build verify-text
	Scripts/verify/run.sh --binary $(BINARY)

.PHONY: verify-text
# The part of it that concerns prompts: tokenizers on ten thousand lines, and text encoders of true size (writes 2 GB).
verify-text: deps
	swift build $(SWIFT_FLAGS) --build-tests
	Scripts/verify/text.sh --flags='$(SWIFT_FLAGS)'

.PHONY: verify-batch
# Tests batches with the real programs: shards, kill -9, full disks, memory, throughput, a real Slurm and GNU parallel.
verify-batch: build
	@$(call install_missing,$(BATCH_PACKAGES))
	Scripts/verify/batch.sh --binary $(abspath $(BINARY))

.PHONY: verify-release
# Runs the binary of `make release` in a bare Debian with nothing but the packages that the README names; as root.
verify-release: release
	@$(call install_missing,$(RELEASE_PACKAGES))
	Scripts/verify/release.sh --binary .build-release/release/omnicache

.PHONY: scripts-tools
# A program that the tests of the batch scripts use if it is installed.
scripts-tools: ; @$(call install_missing,parallel)

.PHONY: benchmark
# Times operations and forward passes of the embedded model and of DiT-S/2. All are verified first.
benchmark: build
	$(BINARY) bench
	$(BINARY) bench --size S/2 --forwards --profile

.PHONY: bench-peers
# Times PyTorch, ONNX Runtime and OpenVINO in turns with omnicache, on the same weights; needs Python 3.11, 12 GB of memory and
# 8 GB of disk, and downloads the three from PyPI. PEERS holds options: --precision bfloat16, --sizes S/2
# (Scripts/bench/run.sh --help).
bench-peers: build release
	Scripts/bench/run.sh --binary $(BINARY) --start-binary .build-release/release/omnicache $(PEERS)

.PHONY: compare
# The table of docs/quality.md: the default, the strongest published strategies and plain fewer steps, on 128 images at
# three budgets. Takes about half an hour on two cores.
compare: build
	$(BINARY) compare --strategies default,dpcache,lemica,cem,l2p,taylorseer,hicache,uniform+taylor:2 \
		--budgets 0.5,0.33,0.2 --seed 4000001 --count 128 --force --output comparison

.PHONY: compare-text
# The same for the embedded text-to-image model, on 128 captions that no calibration has seen.
compare-text: build
	$(BINARY) compare --model Models/scenes-mmjit-s8 --prompt-file Models/scenes-mmjit-s8/compare.txt --seed 4100001 --count 128 \
		--strategies default,dpcache,meancache,taylorseer,uniform+taylor:2 --budgets 0.5,0.33,0.2 --force \
		--output comparison-text

.PHONY: compare-clips
# The same for the embedded clip model, on 128 clips, with flicker.
compare-clips: build
	$(BINARY) compare --model Models/motion-latte-s8 --seed 4200001 --count 128 \
		--strategies default,dpcache,pab,taylorseer,uniform+taylor:2 --budgets 0.5,0.4 --force --output comparison-clips

.PHONY: ablation
# What each part of the method contributes, on the same images.
ablation: build
	$(BINARY) compare --budgets 0.4 --seed 5000 --count 32 --force --output ablation --strategies \
		curvature+hold,curvature+omnicache:unfiltered,curvature+omnicache,curvature+spectral,curvature+steering,path+spectral,path+steering,search+spectral,search+steering

.PHONY: robustness
# Where the default loses: it, the strongest peers and fewer steps over samplers, step counts and guidance scales. Takes
# hours; finished rows are kept in robustness/, so it can be stopped and started again.
robustness: build
	OMNICACHE=$(BINARY) Scripts/bench/robustness.sh -n $(PAIRS) -s $(SEED) $(ROBUSTNESS)

.PHONY: score
# How much of its captions is in the pictures of the embedded text-to-image model, in full and at budgets; needs Python 3.11,
# and downloads PyTorch from PyPI. SCORE holds options (Scripts/score/score.sh --help).
score: build
	@$(call install_missing,$(SCENES_PACKAGES))
	Scripts/score/score.sh --binary $(BINARY) $(SCORE)

.PHONY: release
# A binary for any x86-64 that has OpenBLAS, zlib and OpenSSL 3, with Swift's own libraries inside and without symbols.
release: deps
	swift build -c release --static-swift-stdlib -Xlinker -s --scratch-path .build-release --product omnicache

.PHONY: install
# The binary of `make release`, the embedded models, the manual page, and completions for shells. It builds nothing, so
# root does not have to.
install:
	@test -x .build-release/release/omnicache || { echo "run 'make release' first" >&2; exit 1; }
	install -D .build-release/release/omnicache $(DESTDIR)$(PREFIX)/bin/omnicache
	mkdir -p $(DESTDIR)$(PREFIX)/share/omnicache/models
	cp -R Models/. $(DESTDIR)$(PREFIX)/share/omnicache/models/
	mkdir -p $(DESTDIR)$(PREFIX)/share/man/man1
	Scripts/manual.sh .build-release/release/omnicache >$(DESTDIR)$(PREFIX)/share/man/man1/omnicache.1
	$(call completion,bash,bash-completion/completions/omnicache)
	$(call completion,zsh,zsh/site-functions/_omnicache)
	$(call completion,fish,fish/vendor_completions.d/omnicache.fish)

# $(1): a shell; $(2): where it looks for completions, below share.
define completion
	mkdir -p $(dir $(DESTDIR)$(PREFIX)/share/$(2))
	.build-release/release/omnicache --generate-completion-script $(1) >$(DESTDIR)$(PREFIX)/share/$(2)
endef

.PHONY: lint
# Style of Swift and shell sources, and that nothing outside Models knows a model family.
lint:
	@$(call install_missing,$(LINT_PACKAGES))
	swift format lint --strict --recursive Package.swift Sources Tests
	Scripts/seam.sh
	shellcheck Scripts/*.sh Scripts/*/*.sh Scripts/*/*/*.sh .ci/run

.PHONY: clean
clean:
	rm -rf .build .build-release .build-bench .build-asan .build-tsan fuzz-faults $(SAMPLES) comparison*.* ablation.*
