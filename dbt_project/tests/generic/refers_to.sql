{#- Every row's columns are a key of the other relation. Of a carried table, stale names the period's columns. -#}
{% test refers_to(model, columns, to, stale=none) %}
select {% for column in columns %}model.{{ column }}{{ ", " if not loop.last }}{% endfor %}
from {{ stale_rows(model, stale) if stale else model }} as model
where not exists (
    select 1
    from {{ to }} as target
    where {% for column in columns %}target.{{ column }} = model.{{ column }}{{ " and " if not loop.last }}{% endfor %}
)
{% endtest %}
