#include "store/index_state.h"

namespace dutybook::store {
namespace {

class Writer {
public:
    void number(std::uint64_t value) {
        while (value >= 0x80) {
            out_.push_back(static_cast<char>(value | 0x80));
            value >>= 7;
        }
        out_.push_back(static_cast<char>(value));
    }
    void signed_number(std::int64_t value) {  // zigzag
        number(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
    }
    void text(std::string_view value) {
        number(value.size());
        out_.append(value);
    }
    void id(const domain::OperationId& value) {
        text(value.writer);
        number(value.seq);
    }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

// Reads nothing beyond the end; ok() tells whether all of it was there.
class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (rest_.empty()) break;
            const auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        ok_ = false;
        return 0;
    }
    std::int64_t signed_number() {
        const std::uint64_t value = number();
        return static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1)));
    }
    // A count of things of at least one byte each.
    std::size_t count() {
        const std::uint64_t value = number();
        if (value <= rest_.size()) return static_cast<std::size_t>(value);
        ok_ = false;
        return 0;
    }
    std::string text() {
        const std::size_t size = count();
        std::string value(rest_.substr(0, size));
        rest_.remove_prefix(size);
        return value;
    }
    domain::OperationId id() {
        domain::OperationId value;
        value.writer = text();
        value.seq = number();
        return value;
    }
    bool ok() const { return ok_; }
    bool finished() const { return ok_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool ok_ = true;
};

constexpr std::uint64_t born = 1, deleted = 2, alarm = 4, reissued = 8, final_at_once = 16;

void write_created(Writer& out, const domain::Operation& created) {
    out.id(created.id);
    if (created.first) out.id(*created.first);
    out.signed_number(created.hlc.ms);
    out.number(created.hlc.counter);
    out.signed_number(created.at);
    out.number(static_cast<std::uint64_t>(created.verb));
    for (const std::string* text :
         {&created.record, &created.kind, &created.by, &created.auth, &created.on_behalf,
          &created.device, &created.source, &created.zone, &created.reason}) {
        out.text(*text);
    }
}

void read_created(Reader& in, domain::Operation& created, std::uint64_t flags) {
    created.id = in.id();
    if ((flags & reissued) != 0) created.first = in.id();
    created.final = (flags & final_at_once) != 0;
    created.hlc.ms = in.signed_number();
    created.hlc.counter = static_cast<std::uint32_t>(in.number());
    created.at = in.signed_number();
    created.verb = static_cast<domain::Verb>(in.number());
    for (std::string* text :
         {&created.record, &created.kind, &created.by, &created.auth, &created.on_behalf,
          &created.device, &created.source, &created.zone, &created.reason}) {
        *text = in.text();
    }
}

void write_conflict(Writer& out, const domain::Conflict& conflict) {
    out.text(conflict.field);
    out.text(conflict.shown);
    out.number(conflict.values.size());
    for (const domain::ConflictValue& value : conflict.values) {
        out.text(value.value);
        out.id(value.operation);
        out.signed_number(value.at);
        out.text(value.by);
    }
}

domain::Conflict read_conflict(Reader& in) {
    domain::Conflict conflict;
    conflict.field = in.text();
    conflict.shown = in.text();
    const std::size_t values = in.count();
    for (std::size_t i = 0; i < values && in.ok(); ++i) {
        domain::ConflictValue value;
        value.value = in.text();
        value.operation = in.id();
        value.at = in.signed_number();
        value.by = in.text();
        conflict.values.push_back(std::move(value));
    }
    return conflict;
}

}  // namespace

std::string encode_state(const domain::RecordState& state) {
    Writer out;
    out.number((state.born ? born : 0) | (state.deleted ? deleted : 0) | (state.alarm ? alarm : 0) |
               (state.created.first ? reissued : 0) | (state.created.final ? final_at_once : 0));
    out.text(state.id);
    out.text(state.kind);
    out.number(static_cast<std::uint64_t>(state.status));
    write_created(out, state.created);
    out.signed_number(state.changed_at);
    out.id(state.changed_by);
    out.number(state.fields.size());
    for (const auto& [name, value] : state.fields) {
        out.text(name);
        out.text(value);
    }
    out.number(state.conflicts.size());
    for (const domain::Conflict& conflict : state.conflicts) write_conflict(out, conflict);
    return out.take();
}

Result<domain::RecordState> decode_state(std::string_view bytes) {
    Reader in(bytes);
    domain::RecordState state;
    const std::uint64_t flags = in.number();
    state.born = (flags & born) != 0;
    state.deleted = (flags & deleted) != 0;
    state.alarm = (flags & alarm) != 0;
    state.id = in.text();
    state.kind = in.text();
    const std::uint64_t status = in.number();
    state.status = static_cast<domain::Status>(status);
    read_created(in, state.created, flags);
    state.changed_at = in.signed_number();
    state.changed_by = in.id();
    const std::size_t fields = in.count();
    for (std::size_t i = 0; i < fields && in.ok(); ++i) {
        std::string name = in.text();
        state.fields.emplace_hint(state.fields.end(), std::move(name), in.text());
    }
    const std::size_t conflicts = in.count();
    for (std::size_t i = 0; i < conflicts && in.ok(); ++i) {
        state.conflicts.push_back(read_conflict(in));
    }
    if (!in.finished() || status > static_cast<std::uint64_t>(domain::Status::Retracted)) {
        return failure(Code::Corrupt, "a record in the index is damaged", state.id);
    }
    return state;
}

}  // namespace dutybook::store
