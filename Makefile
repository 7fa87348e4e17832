# xensnmp. `make help` tells the targets. One file, not recursive; sources by wildcard per folder.
# Settings: BUILD=folder (build), SANITIZER=address,undefined, V=1, CC=, CFLAGS=, PREFIX=, DESTDIR=.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
SANITIZER ?=
V ?=
VERSION := 0.1.0

Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-5s %s\n')

# What each part needs. The first goals of a bare machine (demo, check, lint, ...) install packages
# before they build, so pkg-config is asked only in the build itself.
PKGS := glib-2.0 gio-2.0 gio-unix-2.0 sqlite3 libssh2
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Werror -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wshadow \
        -Wpointer-arith -Wvla -Wundef
HARDEN := $(if $(SANITIZER),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fPIE
SAN := $(if $(SANITIZER),-fsanitize=$(SANITIZER) -fno-omit-frame-pointer -fno-sanitize-recover=all)
STD := -std=gnu11 -I. -I$(BUILD)/gen -D_GNU_SOURCE -DXENSNMP_VERSION='"$(VERSION)"' -DG_LOG_DOMAIN='"xensnmp"'
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
PKG_LIBS = $(shell pkg-config --libs $(PKGS)) -lm -lpthread
SNMP_LIBS := -lnetsnmp
SNMPAGENT_LIBS := -lnetsnmpagent -lnetsnmp
ALL_CFLAGS = $(STD) $(WARN) $(HARDEN) $(SAN) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(SAN) -pie -Wl,-z,relro,-z,now $(LDFLAGS)

CORE_SRC := $(sort $(wildcard xenclient/*/*.c))
SUBAGENT_SRC := $(sort $(filter-out subagent/main.c,$(wildcard subagent/*.c subagent/*/*.c)))
SNMPCLIENT_SRC := $(sort $(wildcard snmpclient/*.c))
FARM_SRC := $(sort $(wildcard tools/xen-farm/*.c))
XENCTL_SRC := $(sort $(wildcard tools/xenctl/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
CORE_LIB := $(BUILD)/libxenclient.a
SUBAGENT_LIB := $(BUILD)/libsubagent.a
SNMPCLIENT_LIB := $(BUILD)/libsnmpclient.a
FARM_LIB := $(BUILD)/libfarm.a
BINS := $(BUILD)/bin/xensnmpd $(BUILD)/bin/xen-farm $(BUILD)/bin/xenctl
UNIT_BINS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SRC))
BENCH_BINS := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(BENCH_SRC))

.PHONY: all help build-all unit demo demo-stop demo-run check check-run check-asan check-real lint \
        bench install clean deps fuzz
.DEFAULT_GOAL := all

all: deps-build
	$(Q)$(MAKE) --no-print-directory build-all

build-all: $(BINS)

help:
	@sed -n 's/^## //p' Makefile

## make              build everything into build/bin
## make demo         watch a small fleet, change it by snmpset, show it (KEEP=1 leaves it running)
## make demo-stop    end a demo that was kept
## make check        all tests but those of check-asan and check-real
## make check-asan   unit and integration tests under AddressSanitizer and UBSan
## make check-real   tests against two real Xen hosts in QEMU
## make lint         compilers, clang-format, clang-tidy, cppcheck, house rules, MIB
## make bench        figures with goals; exits 1 when one is missed
## make install      into DESTDIR and PREFIX
## make clean        removes build/

# --- packages: one list, packaging/packages.txt
deps-%:
	$(Q)packaging/install-packages $*

# --- objects
$(BUILD)/obj/%.o: %.c
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# SQL text becomes a C string that the store compiles in.
$(BUILD)/gen/%.sql.h: xenclient/store/%.sql
	$(Q)mkdir -p $(@D)
	$(Q)sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $< > $@.tmp && mv $@.tmp $@
SQL_HEADERS := $(patsubst xenclient/store/%.sql,$(BUILD)/gen/%.sql.h,$(wildcard xenclient/store/*.sql))
$(call obj,$(wildcard xenclient/store/*.c)): $(SQL_HEADERS)

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

define link
$(say) LD $@
$(Q)mkdir -p $(@D)
$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(1) $(PKG_LIBS)
endef

$(BUILD)/bin/xensnmpd: $(call obj,subagent/main.c) $(SUBAGENT_LIB) $(CORE_LIB)
	$(call link,$^ $(SNMPAGENT_LIBS))
$(BUILD)/bin/xen-farm: $(call obj,tools/xen-farm/main.c) $(FARM_LIB) $(CORE_LIB)
	$(call link,$^)
$(BUILD)/bin/xenctl: $(call obj,$(XENCTL_SRC)) $(SNMPCLIENT_LIB) $(CORE_LIB)
	$(call link,$^ $(SNMP_LIBS))

# A unit test links every library; what it does not use stays out.
$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(FARM_LIB) $(SUBAGENT_LIB) $(SNMPCLIENT_LIB) $(CORE_LIB)
	$(call link,$^ $(SNMPAGENT_LIBS))
$(BUILD)/tests/bench/%: $(BUILD)/obj/tests/bench/%.o $(SUBAGENT_LIB) $(SNMPCLIENT_LIB) $(CORE_LIB)
	$(call link,$^ $(SNMPAGENT_LIBS))
unit: $(UNIT_BINS)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# --- tests: TAP everywhere, prove adds up
PROVE := prove --exec tests/lib/run-one
export BUILD

check: deps-build deps-check
	$(Q)$(MAKE) --no-print-directory check-run
check-run: build-all unit
	$(Q)$(PROVE) $(UNIT_BINS) $(sort $(wildcard tests/contract/*.t tests/integration/*.t))

clean:
	rm -rf $(BUILD)
