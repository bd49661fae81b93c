-- The manifestations as they are kept: due ones without what is personal, excluded ones not at all.
-- An author, an address or the digest of a text goes once nothing of the same period is kept that has it too, so that
-- voices, repeats and mirrors still add up; what stands in its place is made with a salt that nobody keeps.
-- Grain: one row per manifestation version.
with kept as (
    select
        m.*,
        d.manifestation_id is not null as due,
        d.manifestation_id is not null or m.erased_at is not null as erased,
        date_trunc($unit, coalesce(m.published_at, m.first_seen_at) at time zone $timezone) as unit
    from main.manifestation as m
    left join due_item as d on m.manifestation_id = d.manifestation_id and m.city = $city
    anti join excluded_item as e on m.manifestation_id = e.manifestation_id and m.city = $city
),

shared as (
    select
        *,
        city = $city and bool_and(erased) over (partition by city, source_id, author_key, unit) as author_gone,
        city = $city and bool_and(erased) over (partition by city, url, unit) as url_gone,
        city = $city and bool_and(erased) over (partition by city, text_digest, unit) as words_gone,
        min(version_number) over (partition by manifestation_id, version) as first_number
    from kept
)

select
    * exclude (due, erased, unit, author_gone, url_gone, words_gone, first_number) replace (
        case when due then 'erased:' || first_number else version end as version,
        case when not due then native_id end as native_id,
        case when not due then parent_id end as parent_id,
        case when not due then published_raw end as published_raw,
        case when not due then url_keys end as url_keys,
        case
            when author_gone and not starts_with(author_key, 'erased:')
                then 'erased:' || left(sha256(concat_ws('|', $salt, 'author', source_id, author_key, unit)), 32)
            else author_key
        end as author_key,
        case
            when url_gone and not starts_with(url, 'erased:')
                then 'erased:' || left(sha256(concat_ws('|', $salt, 'url', url, unit)), 32)
            else url
        end as url,
        case
            when words_gone and not starts_with(text_digest, 'erased:')
                then 'erased:' || left(sha256(concat_ws('|', $salt, 'words', text_digest, unit)), 32)
            else text_digest
        end as text_digest,
        case when due then $applied_at else erased_at end as erased_at
    )
from shared
order by batch_number, batch_position, manifestation_id, version_number
