-- The words of each text, its copies as one, and whether a category took it. Grain: one row per channel, whether no category took it, and group of copies.
select
    i.channel,
    i.category_id in ('otros', 'unclassified') as unread,
    i.copy_group,
    min(i.text_digest) as digest,
    list_sort(list(distinct i.item)) as items,
    list(distinct i.person) as persons,
    list(distinct w.word) as words
from counted_item as i
join item_word as w using (item)
group by all
order by i.channel, unread, digest, i.copy_group
