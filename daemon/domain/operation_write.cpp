#include "base/json.h"
#include "domain/operation_line.h"

#include <algorithm>
#include <tuple>

namespace dutybook::domain {

namespace {

using Changes = std::vector<const FieldChange*>;

// Members are appended in canonical order; what is absent is skipped by the caller.
class LineWriter {
public:
    std::string& member(std::string_view name) {
        line_ += line_.size() == 1 ? "\"" : ",\"";
        line_.append(name).append("\":");
        return line_;
    }
    void text(std::string_view name, std::string_view value) {
        if (!value.empty()) append_canonical_string(member(name), value);
    }
    // {field: value} for registers and increments, {field: [element, ...]} for elements.
    void fields(std::string_view name, const Changes& sorted, Act act) {
        const bool list = act == Act::Add || act == Act::Remove;
        const FieldChange* before = nullptr;
        for (const FieldChange* change : sorted) {
            if (change->act != act) continue;
            const bool same = before != nullptr && before->field == change->field;
            if (before == nullptr) {
                member(name) += '{';
            } else if (!same) {
                line_ += list ? "]," : ",";
            } else {
                line_ += ',';
            }
            if (!same) {
                append_canonical_string(line_, change->field);
                line_ += list ? ":[" : ":";
            }
            line_ += change->value;
            before = change;
        }
        if (before != nullptr) line_ += list ? "]}" : "}";
    }
    void append(std::string_view text) { line_ += text; }
    std::string finish() { return std::move(line_ += '}'); }

private:
    std::string line_ = "{";
};

bool same_change(const FieldChange* a, const FieldChange* b) {
    return a->field == b->field && a->act == b->act && a->value == b->value;
}

Changes in_canonical_order(const std::vector<FieldChange>& changes) {
    Changes out;
    out.reserve(changes.size());
    for (const FieldChange& change : changes) out.push_back(&change);
    std::sort(out.begin(), out.end(), [](const FieldChange* a, const FieldChange* b) {
        if (a->field != b->field) return utf16_less(a->field, b->field);
        return std::tie(a->act, a->value) < std::tie(b->act, b->value);
    });
    out.erase(std::unique(out.begin(), out.end(), same_change), out.end());
    return out;
}

}  // namespace

Result<std::string> write_operation(const Operation& operation) {
    TRY_ASSIGN(OperationLine line, write_line(operation));
    return std::move(line.text);
}

Result<OperationLine> write_line(const Operation& operation) {
    const auto changes = in_canonical_order(operation.changes);
    LineWriter out;
    out.fields("add", changes, Act::Add);
    if (operation.at != operation.hlc.ms) out.member("at") += std::to_string(operation.at);
    out.text("auth", operation.auth);
    out.text("by", operation.by);
    out.text("device", operation.device);
    out.text("do", name_of(operation.verb));
    if (operation.final) out.member("final") += "true";
    if (operation.first) {
        append_canonical_string(out.member("first") += '[', operation.first->writer);
        out.append("," + std::to_string(operation.first->seq) + "]");
    }
    out.member("hlc") +=
        '[' + std::to_string(operation.hlc.ms) + ',' + std::to_string(operation.hlc.counter) + ']';
    out.fields("inc", changes, Act::Increment);
    out.text("kind", operation.kind);
    out.text("on_behalf", operation.on_behalf);
    out.text("reason", operation.reason);
    out.text("record", operation.record);
    out.fields("remove", changes, Act::Remove);
    out.fields("set", changes, Act::Set);
    if (operation.source != "entered") out.text("source", operation.source);
    out.text("zone", operation.zone);
    std::string line = out.finish();

    // The door itself judges, so that what is written here is Good everywhere.
    if (line.size() > Limits::operation_bytes) {
        return failure(Code::TooLarge, "the change is larger than 64 KiB", {},
                       "write less at once");
    }
    ReadOperation read = read_operation(line, operation.id);
    if (read.reading != Reading::Good) {
        return failure(Code::Malformed, "the change cannot be stored", read.why);
    }
    const auto reread = in_canonical_order(read.operation.changes);
    if (!std::equal(changes.begin(), changes.end(), reread.begin(), reread.end(), same_change)) {
        return failure(Code::Internal, "the change cannot be stored",
                       "a field's value is not canonical JSON");
    }
    return OperationLine{std::move(line), std::move(read.operation)};
}

}  // namespace dutybook::domain
