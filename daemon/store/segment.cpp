#include "store/segment_header.h"

#include "base/json.h"
#include "store/segment_columns.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace dutybook::store {
namespace {

constexpr std::uint64_t max_integer = (1ULL << 53) - 1;  // what every JSON reader can hold
constexpr Millis last_time = 253'402'300'799'000;        // 9999-12-31T23:59:59Z
constexpr std::uint32_t last_volume = 99'999'999;        // eight digits

bool lower_word(std::string_view text, std::size_t longest) {
    return !text.empty() && text.size() <= longest && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

Result<std::uint64_t> whole_number(const Json& object, const char* name) {
    const auto& value = object.at(name);
    if (!value.is_number_integer() || value < 0 || value > max_integer)
        return malformed("the number is not between 0 and 2^53-1", pointer_to("", name));
    return value.get<std::uint64_t>();
}

Result<std::string> text_of(const Json& object, const char* name) {
    const auto& value = object.at(name);
    if (!value.is_string()) return malformed("a string is expected", pointer_to("", name));
    return value.get<std::string>();
}

Result<void> check_members(const Json& object) {
    static const std::set<std::string> names = {"codec",    "epoch", "first", "format", "last",
                                                "previous", "space", "time",  "volume", "writer"};
    for (const auto& name : names)
        if (!object.contains(name))
            return malformed("a segment's header lacks a member", pointer_to("", name));
    if (object.size() != names.size() + object.count("introduction"))
        return malformed("a segment's header has a member that format 1 does not know");
    return {};
}

Result<SegmentHeader> read_members(const Json& object) {
    SegmentHeader header;
    TRY_ASSIGN(const auto volume, whole_number(object, "volume"));
    TRY_ASSIGN(const auto epoch, whole_number(object, "epoch"));
    TRY_ASSIGN(const auto time, whole_number(object, "time"));
    TRY_ASSIGN(header.first, whole_number(object, "first"));
    TRY_ASSIGN(header.last, whole_number(object, "last"));
    TRY_ASSIGN(header.codec, text_of(object, "codec"));
    TRY_ASSIGN(header.space, text_of(object, "space"));
    TRY_ASSIGN(header.writer, text_of(object, "writer"));
    TRY_ASSIGN(header.previous, text_of(object, "previous"));
    if (volume > last_volume) return malformed("a volume's number has at most 8 digits", "/volume");
    if (epoch > UINT32_MAX) return malformed("the epoch does not fit", "/epoch");
    if (const auto introduction = object.find("introduction"); introduction != object.end())
        header.introduction = canonical(*introduction);
    header.volume = static_cast<std::uint32_t>(volume);
    header.epoch = static_cast<std::uint32_t>(epoch);
    header.time = static_cast<Millis>(time);
    return header;
}

std::string plain_text(const Segment& segment) {
    std::size_t size = 0;
    for (const auto& line : segment.lines) size += line.size() + 1;
    std::string plain = "{\"frontier\":" + segment.frontier.text();
    if (segment.next_heard) plain += ",\"next_heard\":" + std::to_string(*segment.next_heard);
    plain += "}\n";
    plain.reserve(plain.size() + size);
    for (const auto& line : segment.lines) {
        plain += line;
        plain += '\n';
    }
    return plain;
}

Result<void> read_first_line(std::string_view line, Segment& segment) {
    TRY_ASSIGN(const Json object, parse_json(line, {8, Limits::header_of_payload}));
    if (!object.is_object() || !object.contains("frontier"))
        return malformed("a segment's payload does not begin with its frontier");
    TRY_ASSIGN(segment.frontier, domain::Frontier::parse(canonical(object.at("frontier"))));
    if (const auto heard = object.find("next_heard"); heard != object.end()) {
        TRY_ASSIGN(const auto at, whole_number(object, "next_heard"));
        segment.next_heard = static_cast<Millis>(at);
    }
    return {};
}

}  // namespace

std::string header_line(const SegmentHeader& header) {
    Json line = {{"codec", header.codec},   {"epoch", header.epoch}, {"first", header.first},
                 {"format", header.format}, {"last", header.last},   {"previous", header.previous},
                 {"space", header.space},   {"time", header.time},   {"volume", header.volume},
                 {"writer", header.writer}};
    if (!header.introduction.empty()) {
        auto introduction = parse_json(header.introduction, {4, Limits::header_line});
        line["introduction"] = introduction ? std::move(*introduction) : Json(nullptr);
    }
    return canonical(line);
}

Result<void> check_header(const SegmentHeader& header) {
    if (header.format != 1)
        return failure(Code::NewerFormat, "a segment is of format " + std::to_string(header.format),
                       "this version knows format 1", "update Dutybook");
    if (!lower_word(header.codec, 32)) return malformed("the codec's name is wrong", "/codec");
    if (header.space.empty() || header.space.size() > domain::Limits::id_length)
        return malformed("the space's id is wrong", "/space");
    if (!domain::valid_writer(header.writer)) return malformed("no writer's id", "/writer");
    if (header.volume < 1 || header.volume > last_volume)
        return malformed("a volume's number has 1 to 8 digits", "/volume");
    if (header.first < 1 || header.first > max_integer)
        return malformed("operations are counted from 1", "/first");
    if (header.last > max_integer || header.last + 1 < header.first)
        return malformed("the last operation stands before the first", "/last");
    if (!header.previous.empty() && !is_commit_id(header.previous))
        return malformed("no commit id", "/previous");
    if (header.previous.empty() && (header.first != 1 || header.volume != 1))
        return malformed("only a writer's very first segment has no predecessor", "/previous");
    if (!header.introduction.empty() && !header.previous.empty())
        return malformed("a site introduces itself in its writer's first segment", "/introduction");
    if (header.time < 0 || header.time > last_time || header.time % 1000 != 0)
        return malformed("the time is not a whole second between 1970 and 9999", "/time");
    return {};
}

bool is_commit_id(std::string_view text) {
    return text.size() == 40 && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

Result<std::string> encode_segment(const Segment& segment, const SegmentCodec& codec) {
    TRY(check_header(segment.header));
    if (segment.lines.size() != segment.header.last + 1 - segment.header.first)
        return failure(Code::Internal, "a segment's range does not fit its operations");
    for (const auto& line : segment.lines)
        if (line.find('\n') != std::string::npos)
            return failure(Code::Internal, "an operation is not on one line");
    std::string plain = plain_text(segment);
    if (plain.size() > domain::Limits::segment_plain)
        return failure(Code::TooLarge, "a segment is larger than 8 MiB in plain");
    TRY_ASSIGN(const auto sealed, codec.seal(segment.header, to_columns(std::move(plain))));
    return header_line(segment.header) + "\n" + sealed;
}

Result<SegmentHeader> decode_header(std::string_view blob) {
    const auto end = blob.substr(0, Limits::header_line + 1).find('\n');
    if (end == std::string_view::npos) return malformed("a segment does not begin with its header");
    const auto line = blob.substr(0, end);
    TRY_ASSIGN(const Json object, parse_json(line, {8, Limits::header_line}));
    if (!object.is_object() || !object.contains("format"))
        return malformed("a segment's header has no format number");
    TRY_ASSIGN(const auto format, whole_number(object, "format"));
    if (format != 1)
        return failure(Code::NewerFormat, "a segment is of format " + std::to_string(format),
                       "this version knows format 1", "update Dutybook");
    TRY(check_members(object));
    TRY_ASSIGN(auto header, read_members(object));
    TRY(check_header(header));
    // One header has one spelling, or a relay could make a twin of a segment.
    if (header_line(header) != line) return malformed("a segment's header is not canonical JSON");
    return header;
}

Result<Segment> decode_segment(std::string_view blob, const SegmentCodec& codec) {
    if (blob.size() > Limits::segment_blob)
        return failure(Code::TooLarge, "a segment is larger than 1 MiB");
    Segment segment;
    TRY_ASSIGN(segment.header, decode_header(blob));
    const auto sealed = blob.substr(blob.find('\n') + 1);
    TRY_ASSIGN(std::string turned, codec.open(segment.header, sealed));
    TRY_ASSIGN(const std::string plain,
               from_columns(std::move(turned), domain::Limits::segment_plain));
    std::string_view rest = plain;
    if (rest.empty() || rest.back() != '\n')
        return malformed("a segment's payload does not end with a line");
    const auto end = rest.find('\n');
    TRY(read_first_line(rest.substr(0, end), segment));
    rest.remove_prefix(end + 1);
    const auto expected = segment.header.last + 1 - segment.header.first;
    const auto found = static_cast<std::uint64_t>(std::ranges::count(rest, '\n'));
    if (found != expected)
        return malformed("a segment holds " + std::to_string(found) + " operations where " +
                         std::to_string(expected) + " are announced");
    segment.lines.reserve(found);
    while (!rest.empty()) {
        const auto stop = rest.find('\n');
        segment.lines.emplace_back(rest.substr(0, stop));
        rest.remove_prefix(stop + 1);
    }
    return segment;
}

namespace {
constexpr std::string_view log_prefix = "refs/heads/log/";
}

std::string VolumeName::ref() const {
    const auto digits = std::to_string(number);
    return std::string(log_prefix) + writer + "/" +
           std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
}

std::optional<VolumeName> VolumeName::parse(std::string_view ref) {
    if (!ref.starts_with(log_prefix)) return std::nullopt;
    ref.remove_prefix(log_prefix.size());
    const auto slash = ref.find('/');
    if (slash == std::string_view::npos || !domain::valid_writer(ref.substr(0, slash)))
        return std::nullopt;
    const auto digits = ref.substr(slash + 1);
    VolumeName name{std::string(ref.substr(0, slash)), 0};
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), name.number);
    if (digits.size() != 8 || error != std::errc{} || end != digits.data() + digits.size() ||
        name.number == 0)
        return std::nullopt;
    return name;
}

}  // namespace dutybook::store
