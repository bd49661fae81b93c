-- The quotes of reports; one whose message goes, or a copy of it, loses its words. Grain: one row per quote.
select q.* replace (
    case
        when q.quote_id in (
            select o.quote_id
            from main.quote_origin as o
            where o.manifestation_id in (select manifestation_id from due_item)
                or o.manifestation_id in (select manifestation_id from excluded_item)
        ) then null
        else q.text
    end as text
)
from main.report_quote as q
