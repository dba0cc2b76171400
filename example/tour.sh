api=http://localhost:3000
json='content-type: application/json'
name="ada-$(date +%s)"
ada="{\"username\":\"$name\",\"password\":\"correct horse battery staple\"}"
show='\n%{http_code} %{url_effective}\n'
pick () { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

curl -s -w "$show" $api/auth/register -H "$json" -d "${ada%?},\"email\":\"$name@example.com\"}"

answer=$(curl -s -w "$show" $api/auth/login -H "$json" -d "$ada"); echo "$answer"
access=$(echo "$answer" | pick access_token); refresh=$(echo "$answer" | pick refresh_token)
curl -s -w "$show" $api/secret -H "authorization: Bearer $access"

answer=$(curl -s -w "$show" $api/auth/refresh -H "$json" -d "{\"refresh_token\":\"$refresh\"}"); echo "$answer"
access=$(echo "$answer" | pick access_token); refresh=$(echo "$answer" | pick refresh_token)

curl -s -w "$show" $api/auth/logout -H "$json" -d "{\"refresh_token\":\"$refresh\"}"
curl -s -w "$show" $api/secret -H "authorization: Bearer $access"

answer=$(curl -s -w "$show" $api/auth/password/forgot -H "$json" -d "{\"username\":\"$name\"}"); echo "$answer"
challenge=$(echo "$answer" | pick challenge_id); sleep 1
code=$(curl -s $api/auth/outbox -H 'accept: application/json' | pick code)
reset="{\"challenge_id\":\"$challenge\",\"code\":\"$code\",\"new_password\":\"another battery staple horse\"}"
curl -s -w "$show" $api/auth/password/reset -H "$json" -d "$reset"
