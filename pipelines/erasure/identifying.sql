-- What the list of exclusions is compared with. Grain: one row per manifestation version.
select
    manifestation_id,
    source_id,
    kind,
    native_id,
    url,
    author_key,
    url_keys,
    published_at
from manifestation
where city = $city
order by manifestation_id, version_number
