-- What the newest plan of a run was to change of each account, beside what was open then.
SELECT n.enterprise_id, n.created, n.touched, n.taken_back, n.open_orders, n.open_money, n.asked_by
FROM cj.nights AS n
WHERE n.run_id = :run AND n.plan_number = (SELECT MAX(p.plan_number) FROM cj.nights AS p WHERE p.run_id = :run)
ORDER BY n.enterprise_id
