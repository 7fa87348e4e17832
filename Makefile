# xensnmp. One file, not recursive in sources: they are found by wildcard, folder by folder. `make help` tells the targets.
#
# A target that people call installs the packages it needs and lacks, then calls this file again for the work: only
# then may pkg-config be asked, which a bare machine does not have. The list is packaging/packages.txt.
# Settings: BUILD=folder SANITIZER=address,undefined V=1 JOBS=n CC= CFLAGS= LDFLAGS= PREFIX= DESTDIR=

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
SANITIZER ?=
V ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
VERSION := 0.1.0

Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-5s %s\n')
again = $(Q)+$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))

# --- settings of compiler and linker; the two that ask pkg-config do so once, when first used
PKGS := glib-2.0 gio-2.0 gio-unix-2.0 sqlite3 libssh2 libcurl libxml-2.0 openssl
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $(shell pkg-config --libs $(PKGS)) -lxmlrpc -lxmlrpc_util -lm -lpthread)$(PKG_LIBS)
SNMP_LIBS := -lnetsnmp
SNMPAGENT_LIBS := -lnetsnmpagent -lnetsnmp

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Werror -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wshadow \
        -Wpointer-arith -Wvla -Wundef
HARDEN := $(if $(SANITIZER),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fPIE
SAN := $(if $(SANITIZER),-fsanitize=$(SANITIZER) -fno-omit-frame-pointer -fno-sanitize-recover=all)
STD := -std=gnu11 -I. -I$(BUILD)/gen -D_GNU_SOURCE -DXENSNMP_VERSION='"$(VERSION)"' -DG_LOG_DOMAIN='"xensnmp"'
ALL_CFLAGS = $(STD) $(WARN) $(HARDEN) $(SAN) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(SAN) -pie -Wl,-z,relro,-z,now,--as-needed $(LDFLAGS)

# --- sources and what is made of them
CORE_SRC := $(sort $(filter-out xenclient/worker/main.c,$(wildcard xenclient/*/*.c)))
SUBAGENT_SRC := $(sort $(filter-out subagent/main.c,$(wildcard subagent/*.c subagent/*/*.c)))
SNMPCLIENT_SRC := $(sort $(wildcard snmpclient/*.c))
FARM_SRC := $(sort $(wildcard tools/xen-farm/*.c))
XAPI_FARM_SRC := $(sort $(wildcard tools/xapi-farm/*.c))
PLUGIN_LIB_SRC := $(sort $(wildcard plugins/lib/*.c))
PLUGIN_SRC := $(sort $(wildcard plugins/check_xen_*.c))
XENCTL_SRC := $(sort $(wildcard tools/xenctl/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))
CONTRACT_SRC := $(sort $(wildcard tests/contract/*.c))
SHIM_SRC := $(filter-out tests/shim/shim.c,$(sort $(wildcard tests/shim/*.c)))
SQL := $(sort $(wildcard xenclient/store/*.sql))
XL_SHELL := $(sort $(wildcard xenclient/drivers/xl/*.sh))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
CORE_LIB := $(BUILD)/libxenclient.a
SUBAGENT_LIB := $(BUILD)/libsubagent.a
SNMPCLIENT_LIB := $(BUILD)/libsnmpclient.a
FARM_LIB := $(BUILD)/libfarm.a
XENCTL_LIB := $(BUILD)/libxenctl.a
PLUGIN_LIB := $(BUILD)/libplugin.a
PLUGINS := $(patsubst plugins/%.c,$(BUILD)/bin/%,$(PLUGIN_SRC))
BINS := $(addprefix $(BUILD)/bin/,xensnmpd xensnmpd-worker xen-farm xenctl) $(PLUGINS)
# for tests alone: built, never installed
TEST_BINS := $(BUILD)/bin/xapi-farm
FUZZERS := $(addprefix $(BUILD)/tests/unit/test_,fuzz protocol snapshot)
UNIT_BINS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SRC))
BENCH_BINS := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(BENCH_SRC))
CONTRACT_BINS := $(patsubst tests/contract/%.c,$(BUILD)/tests/contract/%,$(CONTRACT_SRC))
SHIMS := $(patsubst tests/shim/%.c,$(BUILD)/tests/shim/%.so,$(SHIM_SRC))

.DEFAULT_GOAL := all
.PHONY: all build-all unit help demo demo-stop check check-run check-asan asan-run fuzz fuzz-run check-real check-foreign \
        foreign-run bench bench-run lint lint-build generated made install clean flags FORCE
.DELETE_ON_ERROR:
export BUILD

## make              builds everything into build/bin
## make demo         runs a small simulated fleet, changes it by snmpset and shows it; KEEP=1 leaves it running.
##                   DEMO_PORT= DEMO_HOSTS= DEMO_DOMAINS= DEMO_NAMES=file
## make demo-stop    ends a demo that was kept
## make check        unit, contract and integration tests
## make check-asan   the same under AddressSanitizer and UndefinedBehaviorSanitizer
## make fuzz         damages what readers read a million times per reader; FUZZ_ROUNDS= FUZZ_SEED=
## make check-real   tests against two real Xen hosts in QEMU (software emulation; minutes)
## make check-foreign  xapi-farm for the client library xen-api, which is fetched from npm's registry
## make lint         warnings of two compilers, layout, static analysis, house rules
## make bench        figures with goals; fails when one is missed
## make install      into DESTDIR and PREFIX (/usr/local)
## make clean        removes what was built
all: deps-build
	$(again) build-all

help:
	@sed -n 's/^## //p' Makefile

build-all: $(BINS) $(TEST_BINS) made
unit: $(UNIT_BINS) $(CONTRACT_BINS) $(SHIMS)

deps-%:
	$(Q)packaging/install-packages $*

# --- generated texts
# SQL and shell become C strings that the programs compile in, a.sql as a_sql; what is sent to hosts, without its comments.
TEXT_HEADERS := $(patsubst xenclient/store/%,$(BUILD)/gen/%.h,$(SQL)) \
	$(patsubst xenclient/drivers/xl/%,$(BUILD)/gen/%.h,$(XL_SHELL)) $(BUILD)/gen/completion.bash.h
define embed
$(Q)mkdir -p $(@D)
$(Q){ echo 'static const char $(subst .,_,$(basename $(@F)))[] ='; \
	sed $(1) -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $< && echo ';'; } > $@.tmp && mv $@.tmp $@
endef
$(BUILD)/gen/%.sql.h: xenclient/store/%.sql Makefile
	$(call embed)
$(BUILD)/gen/%.sh.h: xenclient/drivers/xl/%.sh Makefile
	$(call embed,-e '/^ *\(#.*\)*$$/d')
$(BUILD)/gen/%.bash.h: tools/xenctl/%.bash Makefile
	$(call embed)
# The MIB is the only place with names and numbers; the client learns them from it.
$(BUILD)/gen/xen_mib.def: snmpclient/mib-oids.awk mibs/XENSNMP-MIB.txt
	$(Q)mkdir -p $(@D)
	$(Q)awk -f $^ > $@.tmp && mv $@.tmp $@
# The classes of XAPI's database, which the server of the tests shows.
$(BUILD)/gen/xapi_classes.h: tools/gen/gen_xapi.py tests/data/xapi/xapi-contract.json
	$(Q)mkdir -p $(@D)
	$(Q)python3 $^ > $@.tmp && mv $@.tmp $@
GENERATED := $(TEXT_HEADERS) $(BUILD)/gen/xen_mib.def $(BUILD)/gen/xapi_classes.h

# --- objects; $(BUILD)/flags changes when a setting does, so that no build mixes two
PID := $(shell echo $$PPID)
$(BUILD)/flags: FORCE
	$(shell mkdir -p $(@D))$(file >$@.$(PID),$(CC) $(ALL_CFLAGS))
	@cmp -s $@.$(PID) $@ && rm $@.$(PID) || mv $@.$(PID) $@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags | $(GENERATED)
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# --- libraries and programs
define archive
$(1): $(call obj,$(2))
	$$(say) AR $$@
	$$(Q)mkdir -p $$(@D)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(eval $(call archive,$(CORE_LIB),$(CORE_SRC)))
$(eval $(call archive,$(SUBAGENT_LIB),$(SUBAGENT_SRC)))
$(eval $(call archive,$(SNMPCLIENT_LIB),$(SNMPCLIENT_SRC)))
$(eval $(call archive,$(FARM_LIB),$(filter-out tools/xen-farm/main.c,$(FARM_SRC))))
$(eval $(call archive,$(XENCTL_LIB),$(filter-out tools/xenctl/main.c,$(XENCTL_SRC))))
$(eval $(call archive,$(PLUGIN_LIB),$(PLUGIN_LIB_SRC)))

define link
$(say) LD $@
$(Q)mkdir -p $(@D)
$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(1) $(PKG_LIBS)
endef

$(BUILD)/bin/xensnmpd: $(call obj,subagent/main.c) $(SUBAGENT_LIB) $(CORE_LIB)
	$(call link,$^ $(SNMPAGENT_LIBS))
$(BUILD)/bin/xensnmpd-worker: $(call obj,xenclient/worker/main.c) $(CORE_LIB)
	$(call link,$^)
$(BUILD)/bin/xen-farm: $(call obj,tools/xen-farm/main.c) $(FARM_LIB) $(CORE_LIB)
	$(call link,$^)
$(BUILD)/bin/xapi-farm: $(call obj,$(XAPI_FARM_SRC)) $(CORE_LIB)
	$(call link,$^ -lmicrohttpd)
$(BUILD)/bin/xenctl: $(call obj,tools/xenctl/main.c) $(XENCTL_LIB) $(SNMPCLIENT_LIB) $(CORE_LIB)
	$(call link,$^ $(SNMP_LIBS))
$(PLUGINS): $(BUILD)/bin/%: $(BUILD)/obj/plugins/%.o $(PLUGIN_LIB) $(SNMPCLIENT_LIB) $(CORE_LIB)
	$(call link,$^ $(SNMP_LIBS))

# A test links every library; what it does not use stays out.
$(UNIT_BINS) $(CONTRACT_BINS) $(BENCH_BINS): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(FARM_LIB) $(XENCTL_LIB) \
                            $(PLUGIN_LIB) $(SUBAGENT_LIB) $(SNMPCLIENT_LIB) $(CORE_LIB)
	$(call link,$^ $(SNMPAGENT_LIBS))

# Put under a program by LD_PRELOAD: each a library by itself, never sanitized.
$(SHIMS): $(BUILD)/tests/shim/%.so: tests/shim/%.c tests/shim/shim.c tests/shim/shim.h $(BUILD)/flags
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(STD) $(WARN) $(CFLAGS) -fPIC -fno-builtin -shared -o $@ $(filter %.c,$^)

# --- what the programs say of themselves, for `make install`
MAN := $(addprefix $(BUILD)/share/man/,xensnmpd.8 xensnmpd.conf.5 xenctl.1 xen-farm.1 xensnmp-mib.7 \
	$(addsuffix .1,$(notdir $(PLUGINS))))
MADE := $(addprefix $(BUILD)/share/,xensnmpd.conf xenctl.bash) $(MAN)
made: $(MADE)
$(MAN): tools/gen/gen_man.py docs/columns.md $(BINS)
	$(say) MAN $@
	$(Q)mkdir -p $(@D)
	$(Q)$< $(BUILD)/bin $(@F) >$@.tmp && mv $@.tmp $@
$(BUILD)/share/xenctl.bash: $(BUILD)/bin/xenctl
	$(Q)mkdir -p $(@D)
	$(Q)$< completion >$@.tmp && mv $@.tmp $@
$(BUILD)/share/xensnmpd.conf: $(BUILD)/bin/xensnmpd
	$(Q)mkdir -p $(@D)
	$(Q)$< --sample-config >$@.tmp && mv $@.tmp $@

# --- tests: TAP everywhere, prove adds up; tests/lib/run-one keeps what each said
# $(call prove,stage,seconds a test may take,tests); most tests wait more than they compute
TEST_JOBS := $(shell echo $$(($(JOBS) + 1)))
prove = TAP_STAGE=$(1) TEST_LIMIT=$(2) prove -j$(TEST_JOBS) --timer --exec tests/lib/run-one $(3)
SCRIPTED := $(sort $(wildcard tests/contract/*.t tests/integration/*.t))

check: deps-build deps-check
	$(again) check-run
check-run: build-all unit
	$(Q)$(call prove,check,900,$(UNIT_BINS) $(SCRIPTED))

# Sanitized programs are slow: the lab waits longer.
check-asan: deps-build deps-check deps-asan
	$(again) BUILD=$(BUILD)-asan SANITIZER=address,undefined CFLAGS='-O1 -g' asan-run
asan-run: build-all unit
	$(Q)LAB_PATIENCE=4 tests/lib/sanitized $(call prove,check-asan,1800,$(UNIT_BINS) $(SCRIPTED))

# Another seed each day, or the same damage would be done again and again.
fuzz-run: export FUZZ_ROUNDS := $(or $(FUZZ_ROUNDS),1000000)
fuzz-run: export FUZZ_SEED := $(or $(FUZZ_SEED),$(shell date +%Y%m%d))
fuzz: deps-build deps-check deps-asan
	$(again) BUILD=$(BUILD)-asan SANITIZER=address,undefined CFLAGS='-O1 -g' fuzz-run
fuzz-run: unit
	$(Q)tests/lib/sanitized $(call prove,fuzz,86400,$(FUZZERS))

REAL_TESTS ?= $(sort $(wildcard tests/real/*.t))
check-real: deps-build deps-check deps-real
	$(again) build-all
	$(Q)$(call prove,check-real,2400,-j1 $(REAL_TESTS))

# What Debian does not have stays in the build folder. A node of another origin than Debian brings its own npm.
XEN_API := 4.7.6
check-foreign: deps-build deps-check
	$(Q)command -v npm >/dev/null || packaging/install-packages foreign
	$(again) foreign-run
foreign-run: build-all $(BUILD)/foreign/xen-api-$(XEN_API)
	$(Q)$(call prove,check-foreign,300,$(sort $(wildcard tests/foreign/*.t)))
$(BUILD)/foreign/xen-api-$(XEN_API):
	$(say) NPM xen-api
	$(Q)mkdir -p $(@D)
	$(Q)npm install --prefix $(@D) --no-save --no-audit --no-fund --ignore-scripts xen-api@$(XEN_API) >$(@D)/npm.log 2>&1 || \
		{ tail -n 20 $(@D)/npm.log >&2; exit 1; }
	$(Q)touch $@

lint: deps-build deps-check deps-lint
	$(Q)$(call prove,lint,900,-j1 $(sort $(wildcard tests/lint/*.sh)))

# For the scripts of lint: all there is to compile; what the compiler needs to know, one word a line.
lint-build: build-all unit $(BENCH_BINS)
generated: $(GENERATED) $(MIB_DEF)
flags:
	@printf '%s\n' $(STD) $(PKG_CFLAGS)

bench: deps-build deps-bench deps-real
	$(again) bench-run
bench-run: build-all $(BENCH_BINS)
	$(Q)tests/bench/run

# --- demo
demo: deps-build deps-demo
	$(again) build-all
	$(Q)tools/demo/run
demo-stop:
	$(Q)tools/demo/run stop

# --- installation; packaging/install-files says what goes where
install: deps-build
	$(again) build-all
	$(Q)DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' packaging/install-files

clean:
	rm -rf $(BUILD) $(BUILD)-asan
