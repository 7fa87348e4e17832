# The objects of an SMIv2 module as X-macro lines for snmpclient/mib.c: names, numbers, types and labels stand
# in the MIB text alone. Usage: awk -f mib-oids.awk MODULE.txt > xen_mib.def; exit 1 on what it cannot resolve.

function die(text) {
    printf "%s: %s\n", FILENAME, text > "/dev/stderr"
    failed = 1
    exit 1
}

BEGIN {
    oid["enterprises"] = "1.3.6.1.4.1"
    oid["mib-2"] = "1.3.6.1.2.1"
    oid["netSnmpPlaypen"] = "1.3.6.1.4.1.8072.9999.9999"
    oid["iso"] = "1"
    # Base types, and the textual conventions of the standard modules.
    n = split("INTEGER=INTEGER Integer32=INTEGER Unsigned32=UNSIGNED Gauge32=GAUGE Counter32=COUNTER32 " \
              "Counter64=COUNTER64 TimeTicks=TICKS TimeStamp=TICKS BITS=BITS STRING=STRING " \
              "IDENTIFIER=OBJECT_ID SnmpAdminString=STRING DisplayString=STRING DateAndTime=DATE " \
              "TestAndIncr=INTEGER TruthValue=INTEGER RowStatus=INTEGER StorageType=INTEGER " \
              "TimeInterval=INTEGER CounterBasedGauge64=COUNTER64 VariablePointer=OBJECT_ID RowPointer=OBJECT_ID", pairs, " ")
    for (i = 1; i <= n; i++) {
        split(pairs[i], pair, "=")
        base[pair[1]] = pair[2]
    }
    labels["TruthValue"] = "{1, \"true\"}, {2, \"false\"}, "
    labels["RowStatus"] = "{1, \"active\"}, {2, \"notInService\"}, {3, \"notReady\"}, " \
                          "{4, \"createAndGo\"}, {5, \"createAndWait\"}, {6, \"destroy\"}, "
    labels["StorageType"] = "{1, \"other\"}, {2, \"volatile\"}, {3, \"nonVolatile\"}, " \
                            "{4, \"permanent\"}, {5, \"readOnly\"}, "
    access["not-accessible"] = "NOT_ACCESSIBLE"
    access["accessible-for-notify"] = "NOT_ACCESSIBLE"
    access["read-only"] = "READ_ONLY"
    access["read-write"] = "READ_WRITE"
    access["read-create"] = "READ_CREATE"
}

# --- tokens: a string is one token that begins with a quote
{
    line = $0
    while (line != "") {
        if (in_string) {
            end = index(line, "\"")
            if (!end) {
                text = text line " "
                break
            }
            token[++n_tokens] = "\"" text substr(line, 1, end - 1)
            line = substr(line, end + 1)
            in_string = 0
        } else if (match(line, /^[ \t\r]+/) || match(line, /^--/)) {
            if (substr(line, 1, 2) == "--")
                break
            line = substr(line, RLENGTH + 1)
        } else if (substr(line, 1, 1) == "\"") {
            in_string = 1
            text = ""
            line = substr(line, 2)
        } else if (match(line, /^::=/) || match(line, /^[A-Za-z0-9-]+/)) {
            token[++n_tokens] = substr(line, 1, RLENGTH)
            line = substr(line, RLENGTH + 1)
        } else {
            token[++n_tokens] = substr(line, 1, 1)
            line = substr(line, 2)
        }
    }
}

# "{1, "a"}, {2, "b"}, " of the braces that open at token i; empty when none do.
function parse_labels(i,    out) {
    if (token[i] != "{")
        return ""
    for (i++; i <= n_tokens && token[i] != "}"; i++)
        if (token[i + 1] == "(") {
            out = out "{" token[i + 2] ", \"" token[i] "\"}, "
            i += 3
        }
    return out
}

# Notes the value { parent 1 2 } after the next ::= as parent and arcs: the parent may be defined later.
function define(i,    name) {
    name = token[i]
    for (; i <= n_tokens && token[i] != "::="; i++)
        ;
    if (token[i + 1] != "{")
        die(name ": no { after ::=")
    i += 2
    parent[name] = token[i]
    arcs[name] = ""
    for (i++; i <= n_tokens && token[i] != "}"; i++) {
        if (token[i + 1] == "(") {
            arcs[name] = arcs[name] "." token[i + 2]
            i += 3
        } else
            arcs[name] = arcs[name] "." token[i]
    }
}

function oid_of(name) {
    if (name ~ /^[0-9]/ || name in oid)
        return name in oid ? oid[name] : name
    if (!(name in parent))
        die("parent " name " is not known")
    oid[name] = oid_of(parent[name]) arcs[name]
    return oid[name]
}

function find(i, word) {
    for (; i <= n_tokens && token[i] != "::="; i++)
        if (token[i] == word)
            return i
    return 0
}

# The type named at token i, its labels in `type_labels`.
function parse_type(i) {
    type = token[i]
    if (type == "OCTET" || type == "OBJECT")
        type = token[++i]
    type_labels = parse_labels(i + 1)
}

# A textual convention: what SYNTAX it stands on.
function convention(i,    name, at, hint) {
    name = token[i]
    at = find(i + 3, "SYNTAX")
    if (!at)
        die(name ": no SYNTAX")
    parse_type(at + 1)
    if (!(type in base))
        die(name ": type " type " is not known")
    base[name] = base[type]
    if ((hint = find(i + 3, "DISPLAY-HINT")) && token[hint + 1] == "\"d-2")
        decimals[name] = 2
    labels[name] = type_labels != "" ? type_labels : labels[type]
}

function note_index(i,    name, at, out) {
    name = token[i]
    if ((at = find(i, "AUGMENTS")))
        augments[name] = token[at + 2]
    else if ((at = find(i, "INDEX"))) {
        for (at += 2; token[at] != "}"; at++)
            if (token[at] != "," && token[at] != "IMPLIED")
                out = out token[at] ", "
        indexes[name] = out
    }
}

function is_entry(name) {
    return name in indexes || name in augments
}

function object(i,    name, at, kind, unit) {
    name = token[i]
    parse_type(find(i, "SYNTAX") + 1)
    at = find(i, "UNITS")
    unit = at ? "\"" substr(token[at + 1], 2) "\"" : "NULL"
    if (type == "SEQUENCE")
        kind = "TABLE"
    else if (is_entry(name))
        kind = "ENTRY"
    else
        kind = is_entry(parent[name]) ? "COLUMN" : "SCALAR"
    emit(name, kind, unit, token[find(i, "MAX-ACCESS") + 1])
}

function emit(name, kind, unit, rights,    ids, mine, is_data, index_list) {
    is_data = kind == "COLUMN" || kind == "SCALAR"
    if (is_data && !(type in base))
        die(name ": type " type " is not known")
    if (is_data && !(rights in access))
        die(name ": access " rights " is not known")
    mine = is_data ? (type_labels != "" ? type_labels : labels[type]) : ""
    if (kind == "ENTRY")
        index_list = indexes[name in augments ? augments[name] : name]
    ids = oid_of(name)
    gsub(/\./, ", ", ids)
    printf "SN_LABELS(%s, %s{0, NULL})\n", name, mine
    printf "SN_INDEX(%s, %sSN_NONE)\n", name, index_list
    printf "SN_OBJECT(%s, %s, %s, \"%s\", %d, %s, %s, %s, %s)\n", name, kind,
           is_data ? base[type] : "NOTHING", type, unit == "\"hundredths\"" ? 2 : decimals[type],
           is_data ? access[rights] : "NOT_ACCESSIBLE", unit,
           kind == "COLUMN" || kind == "ENTRY" ? parent[name] : "SN_NONE", ids
}

function is_object(i) {
    return token[i + 1] == "OBJECT-TYPE" && token[i + 2] == "SYNTAX"
}

function is_module(i) {
    return token[i + 1] == "MODULE-IDENTITY" && token[i + 2] == "LAST-UPDATED"
}

END {
    if (failed)
        exit 1
    for (i = 1; i <= n_tokens; i++) {
        if (is_object(i) || is_module(i) ||
            (token[i + 1] == "OBJECT" && token[i + 2] == "IDENTIFIER" && token[i + 3] == "::="))
            define(i)
        if (is_object(i))
            note_index(i)
        if (token[i + 1] == "::=" && token[i + 2] == "TEXTUAL-CONVENTION")
            convention(i)
    }
    print "/* Generated from the MIB text by snmpclient/mib-oids.awk. */"
    for (i = 1; i <= n_tokens; i++)
        if (is_object(i))
            object(i)
        else if (is_module(i)) {
            type = ""
            emit(token[i], "MODULE", "NULL", "")
        }
}
