#include "domain/frontier.h"

#include "base/json.h"
#include "domain/json_dom.h"

namespace dutybook::domain {

std::uint64_t Frontier::seq_of(std::string_view writer) const {
    const auto found = entries_.find(writer);
    return found == entries_.end() ? 0 : found->second.seq;
}

void Frontier::advance(const Writer& writer, std::uint64_t seq, std::string segment) {
    if (seq == 0) return;
    FrontierEntry& entry = entries_[writer];
    if (seq < entry.seq) return;
    // The same place may be named first by the journal's tail and then by its segment.
    if (seq == entry.seq && segment <= entry.segment) return;
    entry.seq = seq;
    entry.segment = std::move(segment);
}

void Frontier::merge(const Frontier& other) {
    for (const auto& [writer, entry] : other.entries_) advance(writer, entry.seq, entry.segment);
}

std::string Frontier::text() const {
    std::string out = "{";
    for (const auto& [writer, entry] : entries_) {
        if (out.size() > 1) out += ',';
        append_canonical_string(out, writer);
        out += ":[" + std::to_string(entry.seq) + ',';
        append_canonical_string(out, entry.segment);
        out += ']';
    }
    return out + '}';
}

namespace {

constexpr std::size_t text_depth = 2;           // of the pairs
constexpr std::size_t text_bytes = 512 * 1024;  // about 5,000 writers

bool read_entry(simdjson::dom::element value, std::int64_t& seq, std::string_view& segment) {
    simdjson::dom::array pair;
    return value.get_array().get(pair) == simdjson::SUCCESS && pair.size() == 2 &&
           pair.at(0).get_int64().get(seq) == simdjson::SUCCESS && seq >= 1 &&
           pair.at(1).get_string().get(segment) == simdjson::SUCCESS &&
           segment.size() <= Limits::id_length;
}

}  // namespace

Result<Frontier> Frontier::parse(std::string_view text) {
    simdjson::dom::element root;
    simdjson::dom::object object;
    std::string why;
    const auto fault = [&](std::string cause) {
        return failure(Code::Malformed, "not a frontier", std::move(cause));
    };
    if (text.size() > text_bytes) return fault("it is too long");
    if (!JsonDocument::parse(text, text_depth, root, why)) return fault(why);
    if (root.get_object().get(object) != simdjson::SUCCESS) return fault("not an object");
    Frontier out;
    for (const auto member : object) {
        std::int64_t seq = 0;
        std::string_view segment;
        if (!valid_writer(member.key) || !read_entry(member.value, seq, segment)) {
            return fault("the entry of \"" + std::string(member.key) + "\"");
        }
        out.entries_[Writer(member.key)] =
            FrontierEntry{static_cast<std::uint64_t>(seq), std::string(segment)};
    }
    return out;
}

}  // namespace dutybook::domain
