#include "api/filed_reports.h"

#include <sodium.h>
#include <zstd.h>

namespace dutybook::api {

namespace {

constexpr std::size_t plain_limit = 32 * 1024, packed_limit = 56 * 1024, unpacked_limit = 16u << 20;
constexpr int zstd_level = 19;

std::string packed(const std::string& text) {
    std::string bytes(ZSTD_compressBound(text.size()), '\0');
    const std::size_t size =
        ZSTD_compress(bytes.data(), bytes.size(), text.data(), text.size(), zstd_level);
    if (ZSTD_isError(size) != 0) return {};
    constexpr int variant = sodium_base64_VARIANT_ORIGINAL;
    std::string out(sodium_base64_encoded_len(size, variant), '\0');
    sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                      size, variant);
    out.resize(out.size() - 1);  // its end mark
    return out;
}

Result<std::string> unpacked(const std::string& text) {
    const Error damaged = failure(Code::Corrupt, "the filed report cannot be unpacked");
    std::string bytes(text.size(), '\0');
    std::size_t size = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                          text.size(), nullptr, &size, nullptr,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        return damaged;
    }
    const auto length = ZSTD_getFrameContentSize(bytes.data(), size);
    if (length == ZSTD_CONTENTSIZE_ERROR || length == ZSTD_CONTENTSIZE_UNKNOWN ||
        length > unpacked_limit) {
        return damaged;
    }
    std::string out(length, '\0');
    if (ZSTD_decompress(out.data(), out.size(), bytes.data(), size) != length) return damaged;
    return out;
}

}  // namespace

Result<Json> filed_fields(const MadeReport& made, const std::string& by) {
    Json fields = {{"name", made.name},       {"title", made.title},
                   {"made_at", made.made_at}, {"plugin", made.plugin},
                   {"format", "blocks"},      {"language", made.language},
                   {"privacy", made.privacy}, {"parameters", made.parameters}};
    for (const char* name : {"from", "to"}) {
        const auto day = made.parameters.find(name);
        if (day != made.parameters.end() && day->is_string()) fields[name] = *day;
    }
    if (!by.empty()) fields["made_by"] = by;
    if (!made.behind.empty()) fields["behind"] = made.behind;
    const std::string text = made.blocks.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() <= plain_limit) {
        fields["content"] = made.blocks;
        return Result<Json>(boost::system::in_place_value, std::move(fields));
    }
    std::string small = packed(text);
    if (small.empty() || small.size() > packed_limit) {
        return failure(Code::TooLarge, "the report is too long to be filed",
                       std::to_string(text.size() / 1024) + " KiB of blocks",
                       "file it for fewer days or people");
    }
    fields["content"] = {{"zstd", std::move(small)}};
    return Result<Json>(boost::system::in_place_value, std::move(fields));
}

Result<Json> filed_blocks(const Json& fields) {
    const auto content = fields.find("content");
    if (content == fields.end()) return failure(Code::Corrupt, "the filed report has no content");
    if (!content->is_object()) return Result<Json>(boost::system::in_place_value, *content);
    TRY_ASSIGN(const std::string text, unpacked(content->value("zstd", "")));
    return parse_json(text, {64, unpacked_limit});
}

}  // namespace dutybook::api
